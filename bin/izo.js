#!/usr/bin/env node
import { execute } from '@oclif/core';
import { argumentsFor } from './old-names.js';

const [, calledAs = '', ...args] = process.argv;
await execute({ dir: import.meta.url, args: argumentsFor(calledAs, args) });
