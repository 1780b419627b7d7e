export const OLD_NAMES: ReadonlyMap<string, string>;
export function argumentsFor(calledAs: string, args: string[]): string[];
