import { SECTIONS } from './registry.js';

const HEAD = `# Diagnostics

What \`izo config-check\` can find. Ids and codes are stable: they are never used for anything else. An *error* keeps
something from working, a *warning* may cost data, secrets or time, a *note* is worth knowing. Each is shown with its place
(\`file:line:column\`) and what to do about it; \`--json\` has all of it for programs.

| exit code | |
|---|---|
| 0 | nothing but notes |
| 1 | errors |
| 3 | warnings, and no errors |
`;

/** The text of docs/diagnostics.md. */
export function diagnosticsDocument(): string {
  const sections = SECTIONS.map(({ title, rows }) => {
    const lines = rows.map(
      ([id, code, severity, what, why]) =>
        `| <a id="${id}"></a>${id} | ${severity} | \`${code}\` | ${what}. ${why} |`,
    );
    return `\n## ${title}\n\n| id | severity | code | |\n|---|---|---|---|\n${lines.join('\n')}\n`;
  });
  return HEAD + sections.join('');
}
