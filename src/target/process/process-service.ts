import { isAbsolute } from 'node:path';
import {
  NEVER,
  Observable,
  Subject,
  auditTime,
  concat,
  delay,
  distinctUntilChanged,
  filter,
  fromEvent,
  map,
  merge,
  of,
  race,
  switchMap,
  take,
  takeUntil,
  timer,
  type Subscriber,
} from 'rxjs';
import type { Readable } from 'node:stream';
import type { IncomingRequest, Service, ServiceReply } from '../../exchange/service.js';
import { AmandaError } from '../../wire/errors.js';
import { inRange } from '../../wire/ranges.js';
import { splitConnect } from '../../wire/reply.js';
import { whyNotExecutable } from './executable.js';
import { launch, release, type Exit, type Launched } from './launch.js';
import { processStreams } from './process-streams.js';
import type { Patience } from './reap.js';
import { ReplyText, withLines } from './reply-text.js';
import { requestFeatures, requestOptions } from './request-options.js';
import { shmArguments, withoutShm } from './shm.js';

export interface ProcessServiceOptions extends Patience {
  /** The driver's name as the service is told it. Default: that of the connection. */
  readonly auth?: string;
  /** What follows the driver's name in the service's arguments. */
  readonly extraArgs?: readonly string[];
  /** The descriptor of the first stream, 3 … 1000. Default 150; 50 for services of Amanda 3.3 and before. */
  readonly streamOffset?: number;
  /** How many streams there can be, 0 … 16. Default 4; 3 before, 5 later than 3.5. */
  readonly streamCount?: number;
  /** What the service's environment is made from. Default: that of this process. */
  readonly env?: NodeJS.ProcessEnv;
  /**
   * Shared memory, which a requester on the same host may want a dump in: `pass` tells sendbackup of it,
   * `hide` takes the offer out of every reply. Default `pass`.
   */
  readonly shm?: 'pass' | 'hide';
}

/**
 * A service that runs one of Amanda's executables, or one like it.
 *
 * Its standard input is the request's arguments; what it writes until it closes its standard output is
 * the reply, with an ERROR line for each line of its standard error, and for its failure should it end
 * before or with that. When nobody wants it any more its descriptors are closed, and then it has 3 s, SIGTERM, 2 s,
 * SIGKILL. What it has started itself is not pursued.
 *
 * Its descriptors are socket pairs, one direction each: a service cannot open them once more by a name such as `/dev/fd/150`.
 *
 * Replies of sendsize go out as they grow, every 2 s, to a requester that can read such. Data of
 * sendbackup waits for the end of its description. Throws `BAD_ARGUMENT` for a path that is not absolute and
 * for numbers out of range. Source: PROTOCOL.md, "Starting a service".
 */
export function processService(executable: string, options: ProcessServiceOptions = {}): Service {
  const settings = settingsOf(executable, options);
  const service: Service = (request) =>
    new Observable((out) => new ServiceRun(executable, request, settings, out).stop);
  return Object.assign(service, { check: () => of(whyNotExecutable(executable)) });
}

type Settings = ProcessServiceOptions &
  Required<Pick<ProcessServiceOptions, 'streamOffset' | 'streamCount' | 'env'>>;

/** Milliseconds for a service without streams to end, once it has closed its standard output. */
const EXIT_WITHIN = 3_200;
/** Milliseconds for what a service that has ended has left in its pipes, when others still hold them open. */
const DRAIN_WITHIN = 3_000;
/** Milliseconds from one partial reply to the next. */
const PARTIAL_EVERY = 2_000;

class ServiceRun {
  readonly #executable: string;
  readonly #request: IncomingRequest;
  readonly #settings: Settings;
  readonly #out: Subscriber<ServiceReply>;
  readonly #text: ReplyText;
  readonly #grown = new Subject<void>();
  #launched: Launched | undefined;
  #exit: Exit | undefined;

  constructor(
    executable: string,
    request: IncomingRequest,
    settings: Settings,
    out: Subscriber<ServiceReply>,
  ) {
    this.#executable = executable;
    this.#request = request;
    this.#settings = settings;
    this.#out = out;
    this.#text = new ReplyText(request.service);
    const {
      streamOffset: offset,
      streamCount: count,
      auth = request.peer.driver,
      extraArgs = [],
      shm,
    } = settings;
    const args = ['amandad', auth, ...(shm === 'hide' ? [] : shmArguments(request)), ...extraArgs];
    const launching = launch({
      executable,
      args,
      env: environment(settings.env, request),
      offset,
      count,
      patience: settings,
    });
    launching.pipe(switchMap((service) => this.#replies(service))).subscribe(out);
  }

  readonly stop = (): void => {
    if (this.#launched !== undefined) release(this.#launched, this.#settings);
  };

  #replies(service: Launched): Observable<ServiceReply> {
    this.#launched = service;
    this.#out.add(
      service.exit.subscribe((exit) => {
        this.#exit = exit;
      }),
    );
    service.stdin.end(this.#request.arguments);
    this.#collect(service);
    const written = race(ended(service.stdout), service.exit.pipe(delay(DRAIN_WITHIN))).pipe(
      take(1),
    );
    const final = written.pipe(
      switchMap(() => this.#settled(service)),
      map(() => this.#reply(service)),
    );
    return concat(merge(this.#partialReplies().pipe(takeUntil(written)), final), NEVER);
  }

  #collect({ stdout, stderr }: Launched): void {
    stdout.on('data', (chunk: Uint8Array) => {
      try {
        this.#text.write(chunk);
        this.#grown.next();
      } catch (error) {
        this.#out.error(error);
      }
    });
    // Goes on behind the reply, so that the service never has to wait; by then nobody hears it.
    stderr.on('data', (chunk: Uint8Array) => {
      this.#text.say(chunk);
    });
  }

  #partialReplies(): Observable<ServiceReply> {
    const { service, arguments: args } = this.#request;
    if (service !== 'sendsize' || !requestFeatures(requestOptions(args)).has('fe_partial_estimate'))
      return NEVER;
    return this.#grown.pipe(
      auditTime(PARTIAL_EVERY),
      map(() => this.#text.wholeLines),
      filter((body) => body.length > 0),
      distinctUntilChanged((a, b) => a.length === b.length),
      map((body) => ({ kind: 'partial', body: this.#outgoing(body) })),
    );
  }

  /** A service with streams goes on; one without has only to end, and its end belongs to the reply. */
  #settled({ exit, stderr }: Launched): Observable<unknown> {
    const arrived = new Observable<void>((out) => {
      // What was said before is read by the end of this turn of the event loop.
      const turn = setImmediate(() => {
        out.next();
      });
      return () => {
        clearImmediate(turn);
      };
    });
    if (splitConnect(this.#text.bytes) !== undefined) return arrived.pipe(take(1));
    const over = race(exit, timer(EXIT_WITHIN)).pipe(take(1));
    return over.pipe(
      switchMap(() =>
        this.#exit === undefined ? arrived : race(ended(stderr), timer(DRAIN_WITHIN)),
      ),
      take(1),
    );
  }

  #reply(service: Launched): ServiceReply {
    const found = splitConnect(this.#text.bytes);
    const lines = [...this.#text.errors, ...this.#failure(service)];
    const body = this.#outgoing(withLines(found?.rest ?? this.#text.bytes, lines));
    if (found === undefined) return { kind: 'final', body };
    return {
      kind: 'final',
      body,
      streams: processStreams(
        found.connect,
        this.#request.service,
        service,
        this.#settings.streamOffset,
        this.#out,
      ),
    };
  }

  #failure({ child }: Launched): readonly string[] {
    if (this.#exit === undefined || (this.#exit.kind === 'code' && this.#exit.number === 0))
      return [];
    return [
      `ERROR service ${this.#executable} failed: pid ${child.pid ?? 0} exited with ${this.#exit.kind} ${this.#exit.number}`,
    ];
  }

  #outgoing(body: Uint8Array): Uint8Array {
    return this.#settings.shm === 'hide' ? withoutShm(body) : body;
  }
}

function ended(readable: Readable): Observable<unknown> {
  return readable.readableEnded || readable.destroyed
    ? of(undefined)
    : merge(fromEvent(readable, 'end'), fromEvent(readable, 'close'));
}

function environment(parent: NodeJS.ProcessEnv, { peer }: IncomingRequest): NodeJS.ProcessEnv {
  const kept = Object.entries(parent).filter(
    ([name]) => name !== 'LANG' && !name.startsWith('LC_') && name !== PEER,
  );
  return {
    ...Object.fromEntries(kept),
    ...(peer.host === undefined || peer.host === '' ? {} : { [PEER]: peer.host }),
  };
}

const PEER = 'AMANDA_AUTHENTICATED_PEER';

function settingsOf(executable: string, options: ProcessServiceOptions): Settings {
  const { streamOffset = 150, streamCount = 4, env = process.env } = options;
  if (!isAbsolute(executable))
    throw new AmandaError(
      'BAD_ARGUMENT',
      `A service's executable is given by its absolute path, not as "${executable}".`,
    );
  inRange('streamOffset', streamOffset, 3, 1_000);
  inRange('streamCount', streamCount, 0, 16);
  return { ...options, streamOffset, streamCount, env };
}
