/** A plot of lines as SVG: no more than the documents need. */

export interface Line {
  readonly title: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Axis {
  readonly title: string;
  /** Each step of the same length is a factor of ten. */
  readonly log?: boolean;
}

export interface Plot {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly lines: readonly Line[];
}

const SIZE = { width: 640, height: 360 };
const FRAME = { left: 70, right: 20, top: 40, bottom: 50 };
const LEGEND_LINE = 16;
const TICKS = 5;
/** Also told apart by who sees no colours: each has dashes of its own. */
const STYLES = [
  { color: '#0b6e99', dashes: '' },
  { color: '#b3541e', dashes: '7 3' },
  { color: '#3c7d3c', dashes: '2 3' },
  { color: '#7a3e9d', dashes: '9 3 2 3' },
] as const;

/** Where values come to lie between 0 and 1, and the values that are marked. */
interface Scale {
  readonly place: (value: number) => number;
  readonly marks: readonly number[];
}

/** @throws RangeError where there is nothing to plot, or nothing that the scale of an axis has */
export function plotSvg({ title, x, y, lines }: Plot): string {
  const values = (at: 0 | 1): number[] =>
    lines.flatMap(({ points }) => points.map((point) => point[at]));
  const across = scaleOf(values(0), x.log === true);
  const up = scaleOf(values(1), y.log === true);
  const width = SIZE.width - FRAME.left - FRAME.right;
  const height = SIZE.height - FRAME.top - FRAME.bottom;
  const px = (value: number): string => (FRAME.left + across.place(value) * width).toFixed(1);
  const py = (value: number): string => (FRAME.top + (1 - up.place(value)) * height).toFixed(1);
  const bottom = FRAME.top + height;
  const right = FRAME.left + width;
  const { width: w, height: h } = SIZE;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${w} ${h}" font-family="sans-serif" font-size="12">`,
    `<title>${escape(title)}</title>`,
    `<rect width="${w}" height="${h}" fill="#ffffff"/>`,
    text(w / 2, FRAME.top / 2, title, 'middle', 14),
    ...up.marks.flatMap((mark) => [
      `<path d="M${FRAME.left} ${py(mark)}H${right}" stroke="#dddddd"/>`,
      text(FRAME.left - 6, Number(py(mark)) + 4, label(mark), 'end'),
    ]),
    ...across.marks.flatMap((mark) => [
      `<path d="M${px(mark)} ${FRAME.top}V${bottom}" stroke="#dddddd"/>`,
      text(Number(px(mark)), bottom + 16, label(mark), 'middle'),
    ]),
    text(FRAME.left + width / 2, h - 12, x.title, 'middle'),
    `<text transform="translate(16 ${FRAME.top + height / 2}) rotate(-90)" text-anchor="middle">${escape(y.title)}</text>`,
    ...lines.map((line, i) => drawn(line, styleOf(i), px, py)),
    ...lines.map((line, i) => legend(line.title, styleOf(i), FRAME.top + 10 + i * LEGEND_LINE)),
    '</svg>',
    '',
  ].join('\n');
}

type Style = (typeof STYLES)[number];

function styleOf(index: number): Style {
  return STYLES[index % STYLES.length] ?? STYLES[0];
}

function drawn(
  { points }: Line,
  { color, dashes }: Style,
  px: (value: number) => string,
  py: (value: number) => string,
): string {
  const path = points.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${px(x)} ${py(y)}`).join('');
  const dots = points.map(([x, y]) => `<circle cx="${px(x)}" cy="${py(y)}" r="3"/>`).join('');
  const dashed = dashes === '' ? '' : ` stroke-dasharray="${dashes}"`;
  return `<path d="${path}" fill="none" stroke="${color}" stroke-width="2"${dashed}/><g fill="${color}">${dots}</g>`;
}

function legend(title: string, { color, dashes }: Style, y: number): string {
  const x = FRAME.left + 10;
  const dashed = dashes === '' ? '' : ` stroke-dasharray="${dashes}"`;
  const line = `<path d="M${x} ${y}h24" stroke="${color}" stroke-width="2"${dashed}/>`;
  return `${line}${text(x + 30, y + 4, title, 'start')}`;
}

function text(x: number, y: number, words: string, anchor: string, size?: number): string {
  const large = size === undefined ? '' : ` font-size="${size}"`;
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}"${large}>${escape(words)}</text>`;
}

function scaleOf(values: readonly number[], log: boolean): Scale {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  if (!Number.isFinite(least) || !Number.isFinite(most)) throw new RangeError('nothing to plot');
  if (!log) return linearScale(most);
  if (least <= 0) throw new RangeError('a scale of factors has no 0');
  return logScale(least, most);
}

/** From 0 on: a line that looks steep is. */
function linearScale(most: number): Scale {
  const step = roundStep(most / TICKS);
  const end = Math.max(step, Math.ceil(most / step) * step);
  const marks = Array.from({ length: Math.round(end / step) + 1 }, (_, i) => i * step);
  return { marks, place: (value) => value / end };
}

function logScale(least: number, most: number): Scale {
  const first = Math.floor(Math.log10(least));
  const last = Math.max(first + 1, Math.ceil(Math.log10(most)));
  const marks = Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i));
  return { marks, place: (value) => (Math.log10(value) - first) / (last - first) };
}

/** 1, 2 or 5 times a power of ten, not below `value`. */
function roundStep(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5].find((times) => times * power >= value) ?? 10) * power;
}

function label(value: number): string {
  return value >= 10_000
    ? value.toExponential(0).replace('e+', 'e')
    : String(Number(value.toPrecision(4)));
}

function escape(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
