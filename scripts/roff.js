/** What all man pages are made with: escapes, the head of a page, and markdown as far as docs/ uses it. */

/** Text that troff prints as it stands. Hyphens are minus signs: options are to be copied from the page. */
export function escape(text) {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('`', '\\`')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti')
    .replaceAll("'", '\\(aq')
    .replaceAll('–', '\\(en');
}

/** A line of running text: a point or a quote at its beginning would be a request. */
export function line(text) {
  const escaped = escape(text.trim());
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}

export function head({ name, section, version, made }) {
  return [
    `.\\" Made by ${made}. Edit that, not this.`,
    `.TH ${name.toUpperCase().replaceAll('-', '\\-')} ${section} "" "izo ${version}" "InterMezzo"`,
    '.nh',
    '.ad l',
  ];
}

/** `code`, **bold**, *emphasis* and [text](link) within escaped text. */
export function inline(markdown) {
  const spans = markdown.split(/(`[^`]+`|\*\*[^*]+\*\*|\*[^*\s][^*]*\*|\[[^\]]+\]\([^)]+\))/);
  const text = spans
    .map((span, index) => {
      if (index % 2 === 0) return escape(span);
      if (span.startsWith('`')) return `\\fB${escape(span.slice(1, -1))}\\fR`;
      if (span.startsWith('**')) return `\\fB${escape(span.slice(2, -2))}\\fR`;
      if (span.startsWith('*')) return `\\fI${escape(span.slice(1, -1))}\\fR`;
      return linkText(span);
    })
    .join('');
  return /^[.']/.test(text) ? `\\&${text}` : text;
}

/** Links between pages of docs/ name the man page in their text; others show where they lead. */
function linkText(span) {
  const [, text = '', target = ''] = /^\[([^\]]+)\]\(([^)]+)\)$/.exec(span) ?? [];
  const isRemote = /^https?:/.test(target) && !text.includes('://');
  return isRemote ? `${escape(text)} <${escape(target)}>` : `\\fB${escape(text)}\\fR`;
}

/** A cell of tbl(1): a text block, so that long ones are filled; words may be broken behind a hyphen. */
function cell(markdown) {
  const text = inline(markdown.replaceAll('\\|', '|')).replaceAll(/(?<=\w)\\-(?=\w)/g, '\\-\\:');
  return text === '' ? '' : `T{\n${text}\nT}`;
}

/** What of a cell is seen. */
function visible(text) {
  return text.replaceAll(/[`*]/g, '');
}

/** Of the longest piece of a cell that cannot be broken. */
function longestWord(text) {
  return Math.max(
    0,
    ...visible(text)
      .split(/\s+|(?<=\w-)(?=\w)/)
      .map((word) => word.length),
  );
}

/** Of a terminal of 80: what the margins leave. */
const COLUMNS = 68;
/** Between two columns; less where there are many. */
const gapOf = (columns) => (columns > 5 ? 2 : 3);

/** Takes from the widest until all fit into a line, and from no column what its longest word needs. */
function fitted(wanted, least) {
  const widths = [...wanted];
  const room = COLUMNS - gapOf(widths.length) * (widths.length - 1);
  while (widths.reduce((sum, width) => sum + width, 0) > room) {
    const spare = widths.map((width, column) => (width > least[column] ? width : 0));
    const most = Math.max(...spare);
    if (most === 0) break;
    widths[spare.indexOf(most)] -= 1;
  }
  return widths;
}

/** Rows in columns as wide as they need to be, or may be. */
function table(lines) {
  const rows = lines
    .filter((row) => !/^\|[\s:|-]+\|$/.test(row))
    .map((row) =>
      row
        .replace(/^\||\|$/g, '')
        .split(/(?<!\\)\|/)
        .map((text) => text.trim()),
    );
  const most = (measure) =>
    rows[0].map((_, column) => Math.max(1, ...rows.map((row) => measure(row[column] ?? ''))));
  const widths = fitted(
    most((text) => visible(text).length),
    most(longestWord),
  );
  const gap = gapOf(widths.length);
  const columns = (key) => widths.map((width) => `${key}w(${width}n)`).join(` ${gap} `);
  const [titles, ...body] = rows.map((row) => row.map(cell).join('\t'));
  return ['.PP', '.TS', 'tab(\t);', columns('lB'), `${columns('l')}.`, titles, ...body, '.TE'];
}

function isIndented(text) {
  return /^ {4}/.test(text);
}

/** Takes the lines of one block off `lines`. @returns them */
function takeWhile(lines, belongs) {
  const end = lines.findIndex((text) => !belongs(text));
  return lines.splice(0, end < 0 ? lines.length : end);
}

function code(lines) {
  const last = lines.findLastIndex((text) => text.trim() !== '');
  const body = lines.slice(0, last + 1).map((text) => {
    const escaped = escape(text.replace(/^ {4}/, ''));
    return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
  });
  return ['.PP', '.RS 4', '.nf', ...body, '.fi', '.RE'];
}

/** `- term: text` and `- text` alike are items; what is indented below belongs to them. */
function item(lines) {
  const [first = '', ...rest] = lines;
  const [, mark = '-', text = ''] = /^(-|\d+\.) +(.*)$/.exec(first) ?? [];
  const whole = [text, ...rest.map((each) => each.trim())].join(' ');
  return [`.IP ${mark === '-' ? '\\(bu 3' : `${mark} 4`}`, inline(whole)];
}

/** Between two lines of three backquotes. */
function fenced(lines) {
  lines.shift();
  const body = takeWhile(lines, (text) => !text.startsWith('```'));
  lines.shift();
  return code(body.map((text) => `    ${text}`));
}

/** The blocks of a markdown text as lines of man(7). Headings of the second level are sections. */
export function blocks(markdown) {
  const lines = markdown.split('\n');
  const out = [];
  while (lines.length > 0) {
    const [first] = lines;
    if (first.trim() === '' || first.startsWith('<!--')) lines.shift();
    else if (first.startsWith('```')) out.push(...fenced(lines));
    else if (first.startsWith('### ')) out.push('.SS', inline(lines.shift().slice(4)));
    else if (first.startsWith('## ')) {
      out.push('.SH', inline(lines.shift().slice(3).toUpperCase().replaceAll('`', '')));
    } else if (first.startsWith('|'))
      out.push(...table(takeWhile(lines, (l) => l.startsWith('|'))));
    else if (isIndented(first)) {
      out.push(...code(takeWhile(lines, (text) => isIndented(text) || text.trim() === '')));
    } else if (/^(-|\d+\.) /.test(first)) {
      const start = lines.shift();
      out.push(...item([start, ...takeWhile(lines, (text) => /^ {2,}\S/.test(text))]));
    } else {
      const paragraph = takeWhile(
        lines,
        (l) => l.trim() !== '' && !/^(#|\||- |\d+\. |<!--|```)/.test(l),
      );
      out.push('.PP', inline(paragraph.map((text) => text.trim()).join(' ')));
    }
  }
  return out;
}
