import { IzoError } from '../model/errors.js';
import { EXIT } from '../model/exit-codes.js';

export interface HelperArguments {
  readonly device: string;
  readonly mountPoint: string;
  readonly options: string;
  /** -f: everything but the mounting itself. */
  readonly fake: boolean;
}

/** The command line of mount(8)'s helpers: `spec dir [-sfnv] [-N namespace] [-o options] [-t type]`, in any order. */
export function parseHelperArguments(argv: readonly string[]): HelperArguments {
  const positional: string[] = [];
  let options = '';
  let fake = false;
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] ?? '';
    if (!word.startsWith('-') || word === '-') positional.push(word);
    else if (word === '-o') options = [options, argv[++i] ?? ''].filter((o) => o !== '').join(',');
    else if (word === '-N' || word === '-t') i++;
    else if (/^-[sfnvrw]+$/.test(word)) {
      fake ||= word.includes('f');
      if (word.includes('r')) options = [options, 'ro'].filter((o) => o !== '').join(',');
    } else throw usage(`the option ${word} is not known`);
  }
  const [device, mountPoint, ...rest] = positional;
  if (device === undefined || mountPoint === undefined || rest.length > 0) {
    throw usage('a device and a directory are needed');
  }
  return { device, mountPoint, options, fake };
}

function usage(message: string): IzoError {
  return new IzoError('usage', message, {
    exit: EXIT.usage,
    remedy: 'mount.InterMezzo DEVICE DIRECTORY [-sfnv] [-o OPTIONS]',
  });
}
