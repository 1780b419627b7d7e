/**
 * The man pages. Those of the commands come from the manifest, which is what --help prints: they cannot tell anything
 * else. The others come from markdown in docs/, so that there is one text for both readers.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { blocks, escape, head, inline, line } from './roff.js';

/** Pages made of files in docs/: the first line there is a heading, which the page's own takes the place of. */
export const DOCUMENTS = [
  { name: 'mount.InterMezzo', section: 8, file: 'man/mount.md', what: 'mount a fileset' },
  { name: 'intermezzo', section: 5, file: 'man/files.md', what: 'files of izo' },
  { name: 'intermezzo', section: 7, file: 'man/concepts.md', what: 'concepts and guarantees' },
  {
    name: 'intermezzo-protocol',
    section: 7,
    file: 'man/protocol.md',
    what: 'what two hosts say to each other',
  },
  {
    name: 'intermezzo-conflicts',
    section: 7,
    file: 'conflicts.md',
    what: 'what becomes of updates that collide',
  },
  { name: 'kml', section: 5, file: 'journal.md', what: 'the journal of a fileset, byte by byte' },
];

/** Pages under which another is found as well. */
const ALIASES = {
  'umount.fuse.InterMezzo.8': 'mount.InterMezzo.8',
  'mount.izo.8': 'mount.InterMezzo.8',
  'mkizofs.8': 'izo-mkizofs.8',
  'umountizo.8': 'izo-umountizo.8',
  'inconfig.8': 'izo-inconfig.8',
  'lento.8': 'izo-lento.8',
  'config_check.8': 'izo-config-check.8',
};

const pageName = (id) => `izo-${id.replaceAll(':', '-')}`;
const asTyped = (id) => `izo ${id.replaceAll(':', ' ')}`;
const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1).replace(/\.$/, '');
const reference = (name, section) => `\\fB${escape(name)}\\fR(${section})`;

function filled(template, id) {
  return template
    .replaceAll('<%= config.bin %>', 'izo')
    .replaceAll('<%= command.id %>', id.replaceAll(':', ' '));
}

function section(title, lines) {
  return lines.length === 0 ? [] : [`.SH ${title}`, ...lines];
}

function paragraphs(text) {
  return text.split(/\n\n+/).flatMap((each) => ['.PP', inline(each.replaceAll('\n', ' '))]);
}

function valueOf(flag) {
  if (flag.helpValue !== undefined) return String(flag.helpValue).replaceAll(/[<>]/g, '');
  return flag.options === undefined ? 'VALUE' : flag.options.join('|');
}

function flagTerm(flag) {
  const short = flag.char === undefined ? '' : `\\fB\\-${flag.char}\\fR, `;
  const long = `\\fB${escape(`--${flag.name}`)}\\fR`;
  const value = flag.type === 'boolean' ? '' : `=\\fI${escape(valueOf(flag))}\\fR`;
  const no = flag.allowNo === true ? `, \\fB${escape(`--no-${flag.name}`)}\\fR` : '';
  return `${short}${long}${value}${no}`;
}

/** What --help prints in brackets before and after the summary. */
function flagNotes(flag) {
  const notes = [
    flag.required === true ? 'required' : '',
    flag.default === undefined || flag.default === false ? '' : `default: ${flag.default}`,
    flag.env === undefined ? '' : `env: ${flag.env}`,
    flag.multiple === true ? 'may be repeated' : '',
    flag.exclusive?.length > 0 ? `not with --${flag.exclusive.join(', --')}` : '',
    flag.dependsOn?.length > 0 ? `only with --${flag.dependsOn.join(', --')}` : '',
  ].filter((note) => note !== '');
  return notes.length === 0 ? '' : ` (${notes.join('; ')})`;
}

function flagLines(flag, id) {
  const text = flag.summary ?? flag.description ?? '';
  const more = flag.summary !== undefined && flag.description ? paragraphs(flag.description) : [];
  const body = inline(`${sentence(filled(text, id))}${flagNotes(flag)}.`);
  return ['.TP', flagTerm(flag), body, ...more];
}

function visible(things) {
  return Object.values(things ?? {}).filter((thing) => thing.hidden !== true);
}

/** Those of the command before those that many have. */
function flagsOf(command) {
  const isCommon = (flag) => flag.helpGroup === 'GLOBAL';
  const flags = visible(command.flags);
  return [...flags.filter((flag) => !isCommon(flag)), ...flags.filter(isCommon)];
}

function argumentWord({ name, required }, strict) {
  const word = `\\fI${escape(name.toUpperCase())}\\fR`;
  const whole = strict ? word : `${word}...`;
  return required === true ? whole : `[${whole}]`;
}

function synopsis(command) {
  const words = visible(command.args).map((arg) => argumentWord(arg, command.strict !== false));
  const flags = visible(command.flags).length > 0 ? ['[\\fIOPTION\\fR]...'] : [];
  return [`\\fB${escape(asTyped(command.id))}\\fR ${[...flags, ...words].join(' ')}`.trim()];
}

function exampleLines(example, id) {
  const { command, description } =
    typeof example === 'string' ? { command: example, description: undefined } : example;
  const told = description === undefined ? [] : ['.PP', line(`${filled(description, id)}:`)];
  const shown = filled(command, id)
    .split('\n')
    .map((each) => `# ${each}`)
    .map(escape);
  return [...(told.length === 0 ? ['.PP'] : told), '.RS 4', '.nf', ...shown, '.fi', '.RE'];
}

/** The page of one command, from its entry in the manifest. */
export function commandPage(command, version) {
  const { id, summary = '', description = '' } = command;
  const name = pageName(id);
  const aliases = (command.aliases ?? []).map((alias) => asTyped(alias));
  const also = aliases.length === 0 ? [] : ['.PP', line(`Also: ${aliases.join(', ')}.`)];
  const args = visible(command.args).flatMap((arg) => [
    '.TP',
    `\\fI${escape(arg.name.toUpperCase())}\\fR`,
    inline(`${sentence(arg.description ?? '')}.`),
  ]);
  return [
    ...head({ name, section: 8, version, made: 'scripts/man.js of the help of the command' }),
    '.SH NAME',
    `${escape(name)} \\- ${line(filled(summary, id))}`,
    ...section('SYNOPSIS', synopsis(command)),
    ...section('DESCRIPTION', [
      ...paragraphs(filled(description || `${sentence(summary)}.`, id)),
      ...also,
    ]),
    ...section('ARGUMENTS', args),
    ...section(
      'OPTIONS',
      flagsOf(command).flatMap((flag) => flagLines(flag, id)),
    ),
    ...section('EXIT STATUS', ['0 when it is done; the others are listed in \\fBizo\\fR(1).']),
    ...section(
      'EXAMPLES',
      (command.examples ?? []).flatMap((example) => exampleLines(example, id)),
    ),
    ...section('SEE ALSO', [
      `${reference('izo', 1)}, ${reference('intermezzo', 5)}, ${reference('intermezzo', 7)}`,
    ]),
    '',
  ].join('\n');
}

/** izo(1): all commands with a sentence each, and what they have in common. */
function mainPage(commands, { version, description }, common) {
  const list = commands.flatMap(({ id, summary = '' }) => [
    '.TP',
    `\\fB${escape(asTyped(id))}\\fR`,
    `${line(sentence(filled(summary, id)))}. See ${reference(pageName(id), 8)}.`,
  ]);
  const others = DOCUMENTS.map(({ name, section: number }) => reference(name, number));
  return [
    ...head({ name: 'izo', section: 1, version, made: 'scripts/man.js' }),
    '.SH NAME',
    'izo \\- a folder that lives on several hosts at once',
    '.SH SYNOPSIS',
    '\\fBizo\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR]... [\\fIARGUMENT\\fR]...',
    ...section('DESCRIPTION', paragraphs(`${description}.`)),
    ...section('COMMANDS', list),
    ...blocks(common),
    ...section('SEE ALSO', [others.join(', ')]),
    '',
  ].join('\n');
}

function documentPage({ name, section: number, file, what }, root, version) {
  const [, ...rest] = readFileSync(join(root, 'docs', file), 'utf8').split('\n');
  const others = DOCUMENTS.filter((each) => each.file !== file);
  return [
    ...(rest.some((text) => text.startsWith('|')) ? [`'\\" t`] : []),
    ...head({ name, section: number, version, made: `scripts/man.js of docs/${file}` }),
    '.SH NAME',
    `${escape(name)} \\- ${line(what)}`,
    ...(rest.find((text) => text !== '')?.startsWith('#') ? [] : ['.SH DESCRIPTION']),
    ...blocks(rest.join('\n')),
    ...section('SEE ALSO', [
      [reference('izo', 1), ...others.map((each) => reference(each.name, each.section))].join(', '),
    ]),
    '',
  ].join('\n');
}

/** All pages of a manifest: by file name, as text. */
export function manPages(root, manifest, { version, description }) {
  const commands = visible(manifest.commands).sort((a, b) => (a.id < b.id ? -1 : 1));
  const pages = new Map();
  const common = readFileSync(join(root, 'docs/man/common.md'), 'utf8');
  pages.set('izo.1', mainPage(commands, { version, description }, common));
  for (const command of commands) {
    pages.set(`${pageName(command.id)}.8`, commandPage(command, version));
  }
  for (const document of DOCUMENTS) {
    pages.set(`${document.name}.${document.section}`, documentPage(document, root, version));
  }
  for (const [alias, page] of Object.entries(ALIASES)) pages.set(alias, `.so man8/${page}\n`);
  return pages;
}

/** Writes them to man/, and nothing else stays there. */
export function writeManPages(root, manifest) {
  const directory = join(root, 'man');
  const about = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const pages = manPages(root, manifest, about);
  mkdirSync(directory, { recursive: true });
  for (const old of readdirSync(directory)) if (!pages.has(old)) rmSync(join(directory, old));
  for (const [file, text] of pages) writeFileSync(join(directory, file), text);
}
