import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { keyDirectory } from '../config/index.js';

/** Shorter words would be found everywhere. */
const SHORTEST = 16;

/**
 * What no report may have: the keys of this host as they are in their files, as bytes and in hexadecimal.
 * @throws where there are keys that cannot be read: then nobody can tell whether something has them
 */
export function secretsOf(configDir: string): Buffer[] {
  return namesIn(keyDirectory(configDir)).flatMap((name) => {
    const text = readFileSync(join(keyDirectory(configDir), name), 'latin1');
    return text
      .split(/\s+/)
      .filter((word) => word.length >= SHORTEST)
      .flatMap((word) => {
        const bytes = Buffer.from(word, 'base64');
        const forms = [Buffer.from(word, 'latin1'), bytes, Buffer.from(bytes.toString('hex'))];
        return forms.filter(({ length }) => length >= SHORTEST);
      });
  });
}

export function hasSecret(contents: Buffer, secrets: readonly Buffer[]): boolean {
  return secrets.some((secret) => contents.includes(secret));
}

/** Tokens of `izo invite` carry a key in another form: of what looks like one only the beginning stays. */
export function withoutTokens(contents: Buffer): Buffer {
  const text = contents.toString('latin1');
  const cut = text.replace(/(izo\d{1,4}\.)[\w-]{16,}(\.[0-9a-f]{8})?/g, '$1(a token was here)');
  return cut === text ? contents : Buffer.from(cut, 'latin1');
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}
