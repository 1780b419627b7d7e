import { existsSync } from 'node:fs';
import { configFileToWrite, saveConfigFiles, type Plan, type Problem } from '../config/index.js';
import { IzoError } from '../model/errors.js';
import type { FileToWrite } from '../system/atomic-file.js';
import { makeCache, surveyCaches, type CacheStep } from './caches.js';
import { planKeys } from './keys.js';
import { makeDirectory, type Undo } from './undo.js';

/** A plan, and what it takes besides the files; nothing is done yet. */
export interface Preparation {
  plan: Plan;
  caches: CacheStep[];
  /** Mount points that are to be made. */
  directories: string[];
  /** Keys and the like, written together with the files of the plan. */
  secrets: FileToWrite[];
  tokens: Map<string, string>;
  warnings: Problem[];
}

export interface CarryOutOptions {
  onStep?: (what: string) => void;
  /** Asked between the steps: true takes back all that was done. */
  isCancelled?: () => boolean;
}

export interface Done {
  /** Files that were written, caches and directories that were made. */
  written: string[];
  made: string[];
}

/** Looks at all that the plan needs. @throws IzoError where something of it could not be done */
export async function prepare(plan: Plan): Promise<Preparation> {
  const { steps, warnings } = await surveyCaches(plan.mounts);
  const { files: secrets, tokens } = planKeys(plan);
  const directories = plan.mounts.map(({ mtpt }) => mtpt).filter((path) => !existsSync(path));
  return {
    plan,
    caches: steps,
    directories,
    secrets,
    tokens,
    warnings: [...plan.warnings, ...warnings],
  };
}

/** Whether there is anything to do at all. */
export function isNothing({ plan, caches, directories, secrets }: Preparation): boolean {
  const works = caches.filter(({ kind }) => kind !== 'keep');
  return plan.files.length + works.length + directories.length + secrets.length === 0;
}

function filesToWrite({ plan, secrets }: Preparation): FileToWrite[] {
  return [...secrets, ...plan.files.map(({ path, after }) => configFileToWrite(path, after))];
}

/**
 * Does what was prepared: the caches, the mount points, and last, together, the files.
 * @throws IzoError; then everything is as it was before
 */
export async function carryOut(preparation: Preparation, options: CarryOutOptions): Promise<Done> {
  const { onStep = () => undefined, isCancelled = () => false } = options;
  const undo: Undo[] = [];
  const made: string[] = [];
  const goOn = (): void => {
    if (isCancelled()) throw new IzoError('cancelled', 'cancelled: nothing was changed');
  };
  try {
    for (const step of preparation.caches) {
      undo.push(...(await makeCache(step, onStep)));
      if (step.kind !== 'keep') made.push(step.mount.cache);
      goOn();
    }
    for (const directory of preparation.directories) {
      undo.push(makeDirectory(directory));
      made.push(directory);
    }
    goOn();
    const files = filesToWrite(preparation);
    saveConfigFiles(files);
    return { made, written: files.map(({ path }) => path) };
  } catch (error) {
    for (const each of undo.reverse()) each();
    throw error;
  }
}
