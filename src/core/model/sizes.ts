const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  K: 2 ** 10,
  M: 2 ** 20,
  G: 2 ** 30,
  T: 2 ** 40,
};

/** `512M`, `1G`, `10485760`: bytes, with the binary units of mke2fs. @returns undefined for anything else */
export function parseSize(text: string): number | undefined {
  const match = /^([0-9]{1,15})([KMGT]?)(i?B)?$/i.exec(text.trim());
  const unit = UNITS[(match?.[2] ?? '').toUpperCase()];
  if (match?.[1] === undefined || unit === undefined) return undefined;
  const size = Number(match[1]) * unit;
  return Number.isSafeInteger(size) && size > 0 ? size : undefined;
}

/** For people: 3 digits and a unit, `1.25M`; bytes below 1K. */
export function formatSize(bytes: number): string {
  const unit = Object.keys(UNITS).findLast((name) => bytes >= (UNITS[name] ?? Infinity)) ?? '';
  const value = bytes / (UNITS[unit] ?? 1);
  return `${Number(value.toPrecision(3))}${unit}`;
}
