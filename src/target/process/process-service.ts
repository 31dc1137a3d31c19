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
import { checkArgument, checkOptions } from '../../wire/arguments.js';
import { AmandaError } from '../../wire/errors.js';
import type { FeatureName } from '../../wire/features.js';
import { inRange } from '../../wire/ranges.js';
import { splitConnect } from '../../wire/reply.js';
import { withoutFeatures } from './announced-features.js';
import { whyNotExecutable } from './executable.js';
import type { TerminationOptions } from './child-process.js';
import { launch, terminate, type Exit, type ServiceProcess } from './launch.js';
import { processStreams } from './process-streams.js';
import { ReplyText, withLines } from './reply-text.js';
import { requestFeatures, requestOptions } from './request-options.js';
import { passedEnvironment, serviceEnvironment } from './service-environment.js';
import { SHARED_MEMORY, shmArguments } from './shared-memory.js';

/** Options of {@link processService}. */
export interface ProcessServiceOptions extends TerminationOptions {
  /** The driver's name in the service's arguments. Default: that of the connection. */
  readonly auth?: string;
  /** The service's arguments after the driver's name. */
  readonly extraArgs?: readonly string[];
  /** The descriptor of the first stream, 3 … 1000. Default 150; Amanda up to 3.3 uses 50. */
  readonly streamOffset?: number;
  /** The most streams, 0 … 16. Default 4, as in Amanda 3.5; 3 before and 5 after that. */
  readonly streamCount?: number;
  /**
   * The base of the service's environment, without LANG and LC_*. Default: PATH, TZ, DISPLAY, HOME,
   * USER, LOGNAME and SHELL of this process.
   */
  readonly env?: NodeJS.ProcessEnv;
  /**
   * Features that replies do not announce, because another service of the target lacks them.
   * Without the one for shared memory, sendbackup gets no request for it. Default: none.
   */
  readonly hideFeatures?: readonly FeatureName[];
}

/**
 * A service that runs one of Amanda's executables, or one like it.
 *
 * It reads the request's arguments from its standard input. Its standard output, up to its end, is
 * the reply. Each line of its standard error adds an ERROR line, and so does a failure up to then.
 * After cancellation its descriptors are closed, SIGTERM follows after 3 s and SIGKILL 2 s later;
 * processes that it started are not ended.
 *
 * Its descriptors are socket pairs, so it cannot open them again by name (`/dev/fd/150`). The
 * reply of sendsize is sent every 2 s as it grows, if the requester reads partial replies. The data
 * of sendbackup waits for the end of its description. Throws `BAD_ARGUMENT` for a relative path and
 * for numbers out of range. Source: PROTOCOL.md, "Starting a service".
 */
export function processService(executable: string, options: ProcessServiceOptions = {}): Service {
  const settings = settingsOf(executable, options);
  const service: Service = (request) =>
    new Observable((out) => new ServiceRun(executable, request, settings, out).stop);
  return Object.assign(service, { check: () => of(whyNotExecutable(executable)) });
}

type Settings = ProcessServiceOptions &
  Required<Pick<ProcessServiceOptions, 'streamOffset' | 'streamCount' | 'hideFeatures'>>;

/** Milliseconds from the end of its standard output to the end of a service without streams. */
const EXIT_WITHIN = 3_200;
/** Milliseconds to read a pipe after the service has ended, if another process keeps it open. */
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
  #process: ServiceProcess | undefined;
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
      hideFeatures,
    } = settings;
    const shm = hideFeatures.includes(SHARED_MEMORY) ? [] : shmArguments(request);
    const args = ['amandad', auth, ...shm, ...extraArgs];
    const launching = launch({
      executable,
      args,
      env: serviceEnvironment(settings.env ?? passedEnvironment(), request),
      offset,
      count,
      termination: settings,
    });
    launching.pipe(switchMap((service) => this.#replies(service))).subscribe(out);
  }

  readonly stop = (): void => {
    if (this.#process !== undefined) terminate(this.#process, this.#settings);
  };

  #replies(service: ServiceProcess): Observable<ServiceReply> {
    this.#process = service;
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

  #collect({ stdout, stderr }: ServiceProcess): void {
    stdout.on('data', (chunk: Uint8Array) => {
      try {
        this.#text.write(chunk);
        this.#grown.next();
      } catch (error) {
        this.#out.error(error);
      }
    });
    // Goes on after the reply, so that the service never blocks on it; the text is not used then.
    stderr.on('data', (chunk: Uint8Array) => {
      this.#text.writeError(chunk);
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

  /** When the reply is complete: for a service without streams, its exit code belongs to it. */
  #settled({ exit, stderr }: ServiceProcess): Observable<unknown> {
    const errorsRead = new Observable<void>((out) => {
      // Standard error that came before is read by the end of this turn of the event loop.
      const turn = setImmediate(() => {
        out.next();
      });
      return () => {
        clearImmediate(turn);
      };
    });
    if (splitConnect(this.#text.bytes) !== undefined) return errorsRead.pipe(take(1));
    const over = race(exit, timer(EXIT_WITHIN)).pipe(take(1));
    return over.pipe(
      switchMap(() =>
        this.#exit === undefined ? errorsRead : race(ended(stderr), timer(DRAIN_WITHIN)),
      ),
      take(1),
    );
  }

  #reply(service: ServiceProcess): ServiceReply {
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

  #failure({ child }: ServiceProcess): readonly string[] {
    if (this.#exit === undefined || (this.#exit.kind === 'code' && this.#exit.number === 0))
      return [];
    return [
      `ERROR service ${this.#executable} failed: pid ${child.pid ?? 0} exited with ${this.#exit.kind} ${this.#exit.number}`,
    ];
  }

  #outgoing(body: Uint8Array): Uint8Array {
    return withoutFeatures(body, this.#settings.hideFeatures);
  }
}

function ended(readable: Readable): Observable<unknown> {
  return readable.readableEnded || readable.destroyed
    ? of(undefined)
    : merge(fromEvent(readable, 'end'), fromEvent(readable, 'close'));
}

function settingsOf(executable: string, options: ProcessServiceOptions): Settings {
  const { streamOffset = 150, streamCount = 4, hideFeatures = [] } = options;
  checkArgument('The executable of processService', executable, 'name');
  checkOptions('processService', options, { auth: 'name?', extraArgs: 'strings?', env: 'object?' });
  if (!isAbsolute(executable))
    throw new AmandaError(
      'BAD_ARGUMENT',
      `The executable of a service must be an absolute path, not "${executable}".`,
    );
  inRange('The option streamOffset', streamOffset, 3, 1_000);
  inRange('The option streamCount', streamCount, 0, 16);
  return { ...options, streamOffset, streamCount, hideFeatures };
}
