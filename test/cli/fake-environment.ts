import { Readable, Writable } from 'node:stream';
import { Subject } from 'rxjs';
import { onTestFinished } from 'vitest';
import type { ProcessEnvironment } from '../../src/cli/rx-amanda/environment.js';
import type { TargetChoice } from '../../src/cli/rx-amanda/target.js';
import { memory } from '../../src/drivers/memory.js';
import { serve, type ServiceMap } from '../../src/target/serve.js';

/** A process environment with a target in this process, and its output. */
export interface Fake {
  readonly environment: ProcessEnvironment;
  readonly out: () => string;
  readonly err: () => string;
  /** The targets that were chosen. */
  readonly chosen: TargetChoice[];
  readonly interrupt: Subject<number>;
}

export interface FakeOptions {
  readonly services?: ServiceMap;
  readonly stdin?: string;
  /** The outputs that are terminals. */
  readonly terminals?: readonly ('stdout' | 'stderr')[];
}

export function fakeEnvironment({
  services = {},
  stdin = '',
  terminals = [],
}: FakeOptions = {}): Fake {
  const { driver, listener } = memory();
  const chosen: TargetChoice[] = [];
  const interrupt = new Subject<number>();
  const out = recorder(terminals.includes('stdout'));
  const err = recorder(terminals.includes('stderr'));
  const serving = serve(listener, services).subscribe();
  onTestFinished(() => {
    serving.unsubscribe();
  });
  return {
    environment: {
      stdin: Readable.from([Buffer.from(stdin)], { objectMode: false }),
      stdout: out.stream,
      stderr: err.stream,
      interrupted: interrupt,
      driver: (target) => {
        chosen.push(target);
        return driver;
      },
      ownTarget: () => driver,
    },
    out: out.text,
    err: err.text,
    chosen,
    interrupt,
  };
}

function recorder(isTTY: boolean) {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      chunks.push(chunk);
      done();
    },
  });
  return {
    stream: Object.assign(stream, { isTTY, columns: 80 }),
    text: () => Buffer.concat(chunks).toString(),
  };
}
