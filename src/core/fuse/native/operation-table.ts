import * as attributes from './handlers/attributes.js';
import * as files from './handlers/files.js';
import * as names from './handlers/names.js';
import type { Operation } from './operation.js';

/** All that is served, by libfuse's names. What is left out is answered by libfuse or the kernel: see limits.ts. */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  ...attributes,
  ...files,
  ...names,
};
