import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable, Writable } from 'node:stream';
import { NEVER } from 'rxjs';
import { plainAddress } from '../../src/access/peer.js';
import { parseAmandad } from '../../src/cli/rx-amandad/amandad-arguments.js';
import { UsageError } from '../../src/cli/terminal/arguments.js';
import type { CliCommand } from '../../src/cli/rx-amanda/command.js';
import { parseOverride } from '../../src/cli/config/overrides.js';
import { resolvePort } from '../../src/cli/config/port-name.js';
import { demoCommand } from '../../src/cli/rx-amanda/dump/demo.js';
import { drawCommand } from '../../src/cli/rx-amanda/draw/draw.js';
import { dumpCommand } from '../../src/cli/rx-amanda/dump/dump.js';
import { noopCommand } from '../../src/cli/rx-amanda/noop.js';
import { Output } from '../../src/cli/rx-amanda/output.js';
import { serviceCommand } from '../../src/cli/rx-amanda/service/service.js';
import { tapCommand } from '../../src/cli/rx-amanda/tap/tap.js';
import { parseListen, parseTarget } from '../../src/cli/terminal/host-port.js';
import { answerPageRequest } from '../../src/cli/web/page-requests.js';
import { memory } from '../../src/drivers/memory.js';
import { sshPeer } from '../../src/drivers/ssh-peer.js';
import { InfoEnd } from '../../src/target/process/hold-data.js';
import { tarMessage } from '../../src/target/services/tar.js';
import { AmandaError } from '../../src/wire/errors.js';

const { driver } = memory();
const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
const environment = {
  stdin: Readable.from([]),
  stdout: nowhere,
  stderr: nowhere,
  interrupted: NEVER,
  driver: () => driver,
  ownTarget: () => driver,
};
const commands: readonly CliCommand[] = [
  noopCommand,
  serviceCommand,
  dumpCommand,
  demoCommand,
  tapCommand,
  drawCommand,
];

/**
 * Longer command lines are not tested: Node's parseArgs takes time in the square of words, and of
 * letters after a `-`.
 */
const [MOST_WORDS, MOST_LETTERS] = [200, 1_000];

/** What was typed, and what the programs of the command line make of it before they begin. */
export function readWords(text: string): unknown {
  const words = text.slice(0, MOST_LETTERS).split('\0', MOST_WORDS);
  const output = new Output(environment, {});
  // Cold: nothing begins without a subscriber.
  return commands.map((command) => triedWords(() => command.run(words, output, environment)));
}

/** The words after `rx-amandad`. */
export function readAmandadWords(text: string): unknown {
  return usage(() => parseAmandad(text.split('\0')));
}

export function readPlaces(text: string): unknown {
  return [
    triedWords(() => parseListen(text)),
    triedWords(() => parseTarget(text, 10_080)),
    plainAddress(text),
  ];
}

export function readOverride(text: string): unknown {
  return usage(() => parseOverride(text));
}

/** The name of a service, and /etc/services with it. */
export function readPort(text: string): unknown {
  const [value = '', services = ''] = text.split('\0', 2);
  return resolvePort({ value, at: { file: 'amanda.conf' } }, 'tcp', services);
}

/** The environment that sshd sets. */
export function readSshConnection(text: string): unknown {
  return sshPeer(text, {
    resolver: { nameOf: () => NEVER, addressesOf: () => NEVER, canonicalOf: () => NEVER },
  });
}

/** What tar says on standard error, and what a service says on MESG. */
export function readTarMessages(text: string): unknown {
  return text.split('\n').map(tarMessage);
}

export function findInfoEnd(bytes: Uint8Array): number {
  let found = 0;
  const messages = new InfoEnd(() => (found += 1));
  for (let at = 0; at < bytes.length; at += 7) messages.look(bytes.subarray(at, at + 7));
  return found;
}

/** A request for the tap's page: its path, its host and the last step that it has. */
export function askPage(text: string): unknown {
  const [url = '', host = '', lastEventId = ''] = text.split('\0', 3);
  const said: unknown[] = [];
  const response = {
    setHeader: () => response,
    writeHead: (status: number) => (said.push(status), response),
    end: () => response,
  };
  const request = {
    url,
    method: 'GET',
    headers: { host: host === '' ? 'localhost' : host, 'last-event-id': lastEventId },
  };
  answerPageRequest(request as unknown as IncomingMessage, response as unknown as ServerResponse, {
    token: 'token',
    host: '127.0.0.1',
    document: { html: '', securityPolicy: '' },
    diagram: () => undefined,
    admitted: () => undefined,
    follow: (_response, known) => said.push(known),
  });
  return said;
}

function triedWords(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    if (error instanceof UsageError || error instanceof AmandaError) return error;
    throw error;
  }
}

/** What is wrong with words is a `UsageError`, which is refused as an AmandaError is. */
function usage<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof UsageError
      ? new AmandaError('BAD_ARGUMENT', error.message, { cause: error })
      : error;
  }
}
