#!/usr/bin/env node
import './environment.js';
import { main } from '../dist/bundle/main.js';

await main(process.argv);
