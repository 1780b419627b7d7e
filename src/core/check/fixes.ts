import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  mkdirSync,
  openSync,
  readFileSync,
} from 'node:fs';
import { configFileToWrite, saveConfigFiles } from '../config/index.js';
import { IzoError } from '../model/errors.js';
import type { Diagnostic, Fix } from './diagnostic.js';
import { octal } from './host.js';

/** All that the diagnostics know how to repair, each change once, in the order in which they must be made. */
export function fixesOf(diagnostics: readonly Diagnostic[]): Fix[] {
  const seen = new Map<string, Fix>();
  for (const { fixes } of diagnostics) {
    for (const fix of fixes) seen.set(`${fix.kind} ${fix.path}`, fix);
  }
  return [...seen.values()];
}

/** What a change does, in words, and the lines that a file gets. */
export function describeFix(fix: Fix): string[] {
  switch (fix.kind) {
    case 'chmod':
      return [`chmod ${octal(fix.mode)} ${fix.path}`];
    case 'chown':
      return [`chown ${fix.uid}:${fix.gid} ${fix.path}`];
    case 'mkdir':
      return [`mkdir -p -m ${octal(fix.mode)} ${fix.path}`];
    case 'write':
      return [
        `write ${fix.path}, keeping ${fix.path}.bak`,
        ...changed(fix.before, '-', fix.after),
        ...changed(fix.after, '+', fix.before),
      ];
  }
}

/** The lines of a text that the other one does not have. */
function changed(text: string, sign: string, other: string): string[] {
  const there = new Set(other.split('\n'));
  const lines = text.split('\n').filter((line) => !there.has(line) && line.trim() !== '');
  return lines.map((line) => `  ${sign} ${line}`);
}

/** By descriptor, and never through a link that somebody has put there. */
function onFile(path: string, change: (fd: number) => void): void {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  const fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    change(fd);
  } finally {
    closeSync(fd);
  }
}

function make(fix: Fix): void {
  switch (fix.kind) {
    case 'chmod':
      onFile(fix.path, (fd) => fchmodSync(fd, fix.mode));
      return;
    case 'chown':
      onFile(fix.path, (fd) => fchownSync(fd, fix.uid, fix.gid));
      return;
    case 'mkdir':
      mkdirSync(fix.path, { recursive: true, mode: fix.mode });
      return;
    case 'write':
      if (readFileSync(fix.path, 'utf8').replace(/^\ufeff/, '') !== fix.before) {
        throw new Error('it has changed meanwhile');
      }
      saveConfigFiles([configFileToWrite(fix.path, fix.after)]);
  }
}

/** Makes one change. @throws IzoError not-fixed; then this one was not made */
export function applyFix(fix: Fix): void {
  try {
    make(fix);
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    throw new IzoError(
      'not-fixed',
      `this could not be done: ${describeFix(fix)[0] ?? ''} (${cause.message})`,
      {
        place: { file: fix.path },
        cause,
      },
    );
  }
}
