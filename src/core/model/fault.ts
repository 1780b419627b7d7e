/** What keeps a record from being applied, or its contents from being fetched. */
export interface Fault {
  /** Within the fileset: bytes as latin1; empty where no path is to blame. */
  readonly path: string;
  /** What was to be done: the name of the record, `fetch` for getting its contents, `read` for sending them. */
  readonly operation: string;
  /** The name of an error number, or `diverged`. */
  readonly errno: string;
}
