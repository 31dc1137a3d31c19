/** Finds Go's hashicorp/yamux in Debian's packages. It is measured only when it is installed. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

export const GO = '/usr/bin/go';
/** Where Debian puts the sources of Go's packages. */
export const SOURCES = '/usr/share/gocode';

/** Why it cannot be measured here; undefined when it can. */
export function whyNoGoYamux() {
  const missing = [GO, join(SOURCES, 'src/github.com/hashicorp/yamux')].find(
    (path) => !existsSync(path),
  );
  return missing === undefined
    ? undefined
    : `${missing} is missing (apt-get install golang-go golang-github-hashicorp-yamux-dev)`;
}
