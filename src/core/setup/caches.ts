import { existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { contentsOf, namesInMeta } from '../cache/contents.js';
import { UNNAMED } from '../cache/fileset-directory.js';
import { formatCache } from '../cache/index.js';
import type { PlannedMount, Problem } from '../config/index.js';
import { IzoError } from '../model/errors.js';
import { EXIT } from '../model/exit-codes.js';
import { makeDirectory, removeFile, type Undo } from './undo.js';

/** What is to be done so that a mount has its cache. */
export type CacheStep =
  | { kind: 'keep'; mount: PlannedMount }
  | { kind: 'format'; mount: PlannedMount }
  | { kind: 'make'; mount: PlannedMount; size: number };

/** What a cache lacks, looked at without changing anything. */
export interface CacheSurvey {
  steps: CacheStep[];
  warnings: Problem[];
}

function foreign(mount: PlannedMount, holds: string): IzoError {
  return new IzoError('foreign', `${mount.cache} holds ${holds}`, {
    exit: EXIT.refused,
    place: mount.place,
    remedy: 'Name another cache; `izo mkizofs -F` destroys what is there, --convert keeps it.',
  });
}

async function survey(mount: PlannedMount): Promise<CacheStep> {
  const { cache, fileset } = mount;
  const found = await contentsOf(cache);
  if (found === undefined) return { kind: 'format', mount };
  if (found.type !== 'ext3' && found.type !== 'ext4') throw foreign(mount, found.words);
  const names = await namesInMeta(cache);
  if (names.length === 0) throw foreign(mount, `${found.words}, and no cache`);
  if (!names.includes(fileset) && !names.includes(UNNAMED)) {
    throw foreign(mount, `the cache of ${names.join(', ')}`);
  }
  return { kind: 'keep', mount };
}

/** Bytes free where a file is to be made, whose directory need not be there yet; without limit where it cannot be known. */
function roomFor(path: string): number {
  let directory = dirname(path);
  while (directory !== '/' && !existsSync(directory)) directory = dirname(directory);
  try {
    const { bfree, bsize } = statfsSync(directory);
    return bfree * bsize;
  } catch {
    return Infinity;
  }
}

function tooLarge({ cache, place }: PlannedMount, size: number, room: number): Problem {
  const mib = (bytes: number): string => `${Math.floor(bytes / 2 ** 20)} MiB`;
  return {
    severity: 'warning',
    code: 'image-larger-than-disk',
    message: `${cache} is to hold ${mib(size)}, and its disk has room for ${mib(room)}`,
    place,
    remedy: 'Make room before it is filled, or give a smaller size.',
  };
}

/** @throws IzoError `foreign`: a cache that is named holds something else */
export async function surveyCaches(mounts: readonly PlannedMount[]): Promise<CacheSurvey> {
  const steps: CacheStep[] = [];
  const warnings: Problem[] = [];
  for (const mount of mounts) {
    const { cache, fileset, size, place } = mount;
    if (existsSync(cache)) steps.push(await survey(mount));
    else if (size !== undefined) {
      steps.push({ kind: 'make', mount, size });
      const room = roomFor(cache);
      if (size > room) warnings.push(tooLarge(mount, size, room));
    } else {
      warnings.push({
        severity: 'warning',
        code: 'no-cache',
        message: `there is no cache ${cache}`,
        place,
        remedy: `Make it with size=1G here, or later: izo mkizofs --size 1G -v ${fileset} ${cache}`,
      });
    }
  }
  return { steps, warnings };
}

/** Makes what the step says. @returns how to undo it; formatting something empty cannot be, and need not */
export async function makeCache(step: CacheStep, onStep: (what: string) => void): Promise<Undo[]> {
  if (step.kind === 'keep') return [];
  const { mount } = step;
  const { cache: target, fileset, cacheType: type } = mount;
  const undo = step.kind === 'make' ? [makeDirectory(target, 'above')] : [];
  const size = step.kind === 'make' ? step.size : undefined;
  try {
    await formatCache({
      target,
      fileset,
      type,
      size,
      force: false,
      convert: false,
      onStep,
    });
  } catch (error) {
    for (const each of undo) each();
    throw error;
  }
  if (step.kind === 'make') undo.push(removeFile(target));
  return undo;
}
