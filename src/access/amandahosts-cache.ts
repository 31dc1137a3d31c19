import { Amandahosts } from './amandahosts.js';
import { readAmandahosts } from './amandahosts-file.js';
import { fileIdentity } from './file-identity.js';
import type { Refused } from './verdict.js';

/** The file that was read last. Connections of a target share it. */
let last: { readonly key: string; readonly rules: Amandahosts } | undefined;

/** The rules of an .amandahosts file. Reads and parses it again only when it has changed. */
export function cachedAmandahosts(path: string, owner: number): Amandahosts | Refused {
  const identity = fileIdentity([path]);
  const key = identity === undefined ? undefined : `${owner} ${path}\n${identity}`;
  if (key !== undefined && last?.key === key) return last.rules;
  const found = readAmandahosts(path, { owner });
  if (found.kind === 'refused') return found;
  const rules = new Amandahosts(found.text);
  last = key === undefined ? undefined : { key, rules };
  return rules;
}
