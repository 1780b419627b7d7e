/** Does inspections for somebody who must not touch the mounts himself, see inspector.ts. */
import { INSPECTIONS, type Finding } from './inspections.js';
import type { Answer, Question } from './inspector.js';

process.on('message', ([what, ...paths]: Question) => {
  let answer: Answer;
  try {
    const inspect: (...paths: string[]) => Finding = INSPECTIONS[what];
    answer = inspect(...paths);
  } catch (error) {
    answer = { wrong: [`${what} of ${paths.join(', ')}: ${String(error)}`], count: 0 };
  }
  process.send?.(answer);
});
