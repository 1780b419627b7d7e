import { isUnreadable, type Recovery, type Step, type Survey } from '../../recovery/index.js';

const amount = (n: number, one: string, more = `${one}s`): string => `${n} ${n === 1 ? one : more}`;

/** What a step does, as the end of a sentence that begins with "will" or with nothing. */
export function describeStep(step: Step): string {
  switch (step.do) {
    case 'aside':
      return `take away what stands there: ${step.names.join(', ')}`;
    case 'cut':
      return `cut ${amount(step.bytes, 'byte')} off the end of kml`;
    case 'skip':
      return `let kml begin with record ${step.firstRecno}, after the damage: everybody has what is before`;
    case 'name':
      return 'write the file fileset from what kml says';
    case 'lml':
      return `make lml anew from the tree: ${amount(step.notes, 'file')} being written`;
    case 'positions':
      return `make last_rcvd anew: positions of ${amount(step.peers.length, 'peer')}`;
    case 'set-aside':
      return `set the tree aside: ${amount(step.objects, 'object')}`;
    case 'rebuild':
      return `begin the logs anew, as a new replica; the next mount journals ${amount(step.objects, 'object')}`;
  }
}

/** What was found, what is to be done or was done, and what comes of it; for people. */
export function renderRecovery({ found, plan, kept }: Recovery): string[] {
  const lines = [`looked at ${describeSurvey(found)}`];
  for (const finding of plan.findings) lines.push(`FOUND  ${finding}`);
  if (plan.steps.length === 0) return [...lines, 'nothing is damaged, nothing to do'];
  const word = kept === undefined ? 'PLAN   will ' : 'DONE   ';
  for (const step of plan.steps) lines.push(`${word}${describeStep(step)}`);
  for (const consequence of plan.consequences) lines.push(`NOTE   ${consequence}`);
  return lines;
}

function describeSurvey({ kml, tree }: Survey): string {
  const log = isUnreadable(kml) ? 'no log that can be read' : amount(kml.records, 'record');
  return `${log} and ${amount(tree.objects, 'object')}`;
}
