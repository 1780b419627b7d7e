/** Writes what of the documentation is generated: docs/diagnostics.md, from the registry. Needs a build. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { diagnosticsDocument } from '../dist/core/check/document.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
writeFileSync(join(ROOT, 'docs/diagnostics.md'), diagnosticsDocument());
