/** A file that is to be there, by its path below the root. */
export type Item =
  | { readonly path: string; readonly kind: 'file'; readonly data: string; readonly mode: number }
  | { readonly path: string; readonly kind: 'link'; readonly target: string };

/** What becomes, or would become, of one path. */
export interface Step {
  readonly action: 'create' | 'replace' | 'keep' | 'remove' | 'leave';
  readonly path: string;
  /** Of a link: where it leads. */
  readonly target?: string;
  /** Of what is left alone: why. */
  readonly reason?: string;
}
