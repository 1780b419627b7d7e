import { isValidHostName } from '../model/names.js';

/** A pair of hosts: who connects, and to whom. Written `clientA@muskox`; it names their common key. */
export interface Identity {
  readonly client: string;
  readonly server: string;
}

export function formatIdentity(identity: Identity): string {
  return `${identity.client}@${identity.server}`;
}

/** @returns the pair, or undefined where `text` is not two valid host names around an `@`. */
export function parseIdentity(text: string): Identity | undefined {
  const [client, server, ...rest] = text.split('@');
  if (client === undefined || server === undefined || rest.length > 0) return undefined;
  return isValidHostName(client) && isValidHostName(server) ? { client, server } : undefined;
}
