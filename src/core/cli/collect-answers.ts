import { IzoError } from '../model/errors.js';
import { EXIT } from '../model/exit-codes.js';
import {
  answerOfText,
  answersTree,
  readAnswers,
  readAnyText,
  problemAsError,
  type AnswerKind,
  type Answers,
  type XmlElement,
} from '../config/index.js';
import { readStandardInput } from './read-token.js';

/** What the flags of a command say. */
export interface GivenAnswers {
  /** A file of answers; `-` is standard input. */
  answers?: string | undefined;
  /** Flags of the same names as the kinds of answers. */
  flags: Partial<Record<AnswerKind, string[] | undefined>>;
}

async function treeOfFile(file: string): Promise<XmlElement> {
  if (file === '-') return answersTree('standard input', await readStandardInput());
  const result = readAnyText(
    file,
    'answers',
    'Write it, or answer by flags: see `izo inconfig --help`.',
  );
  if ('problem' in result) throw problemAsError(result.problem);
  return answersTree(file, result.text);
}

/** Answers without a terminal, or undefined where there are none. @throws IzoError exit 2, with the place */
export async function collectAnswers(
  { answers, flags }: GivenAnswers,
  idfile: string,
): Promise<Answers | undefined> {
  const kinds = Object.entries(flags).filter(([, values]) => values !== undefined);
  if (answers === undefined && kinds.length === 0) return undefined;
  try {
    const place = { file: 'flags', line: 1, column: 1 };
    const root: XmlElement =
      answers === undefined
        ? { name: 'answers', place, attributes: [], children: [], text: '', textPlace: place }
        : await treeOfFile(answers);
    const more = kinds.flatMap(([kind, values = []]) =>
      values.map((text) => answerOfText(kind, text, { file: `--${kind}`, line: 1, column: 1 })),
    );
    return readAnswers({ ...root, children: [...root.children, ...more] }, idfile);
  } catch (error) {
    if (!(error instanceof IzoError)) throw error;
    throw asUsage(error);
  }
}

/** What is wrong is on the command line, or in what it names. */
function asUsage({ code, message, place, remedy }: IzoError): IzoError {
  return new IzoError(code, message, {
    exit: EXIT.usage,
    ...(place === undefined ? {} : { place }),
    ...(remedy === undefined ? {} : { remedy }),
  });
}
