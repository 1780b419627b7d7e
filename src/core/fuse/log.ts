/** Where the binding says what happened, in full sentences without a final stop. */
export type Log = (level: 'info' | 'warn' | 'error', message: string) => void;
