import { readConfigText, type FileFormat } from '../../config/elements.js';
import { FSETDB } from '../../config/fsetdb.js';
import { quoted } from '../../config/index.js';
import { SERVERDB } from '../../config/serverdb.js';
import { SYSID } from '../../config/sysid.js';
import { presentAnyText } from '../../config/text-file.js';
import { LineTable } from '../../config/xml-tree.js';
import type { Finding } from '../diagnostic.js';
import { MEANINGS, type PerlFileKind } from './meaning.js';
import { PerlFault } from './parse.js';

const FORMATS: Readonly<Record<PerlFileKind, FileFormat<unknown>>> = {
  sysid: SYSID,
  serverdb: SERVERDB,
  fsetdb: FSETDB,
};

/** The XML of a text of the Perl era. @throws PerlFault also where the result would be refused */
export function convertPerl(kind: PerlFileKind, file: string, text: string): string {
  const xml = MEANINGS[kind](text);
  const [problem] = readConfigText(file, xml, FORMATS[kind]).problems;
  if (problem !== undefined) throw new PerlFault(0, problem.message);
  return xml;
}

/** Adds the conversion to the finding that a file is of the Perl era, or says why there is none. */
export function withConversion(finding: Finding, kind: PerlFileKind): Finding {
  const { file } = finding.place;
  const before = presentAnyText(file);
  if (before === undefined) return finding;
  try {
    const after = convertPerl(kind, file, before);
    const remedy = `Convert it: izo config-check --fix. The file of now is kept as ${file}.bak.`;
    return { ...finding, remedy, fixes: [{ kind: 'write', path: file, before, after }] };
  } catch (error) {
    if (!(error instanceof PerlFault)) throw error;
    const place =
      error.offset === 0 ? finding.place : new LineTable(file, before).place(error.offset);
    const message = `${finding.message}, and cannot be converted: ${error.message}`;
    const remedy = `Write it anew in XML, as ${quoted(`<${kind}>`)}: see man 5 intermezzo.`;
    return { code: 'perl-not-understood', message, place, remedy };
  }
}
