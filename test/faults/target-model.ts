import { readSecurity } from '../../src/access/authorize.js';
import { isAmandaError } from '../../src/wire/errors.js';
import { packetTypes } from '../../src/wire/packet.js';
import { parseService, type ParsedRequest } from '../../src/wire/request.js';
import { framesIn, type StreamSeen } from './initiator-model.js';

/**
 * What a service answers: the streams that it announces, and whether it closes each; undefined when
 * it does not answer.
 */
export type Answers = (handle: number) => Answered | undefined;

export interface Answered {
  readonly streams: readonly { readonly isClosed: boolean }[];
  /** Whether the reply tells an error. */
  readonly isFailed: boolean;
  /** Whether the messages do, which are sent after the ACK. */
  readonly isDumpFailed: boolean;
}

export interface TargetModel {
  readonly namesUser: boolean;
  readonly services: readonly string[];
  readonly answers: Answers;
}

/** What must have happened at a target. */
export interface Served {
  readonly admitted: number;
  /** How each first packet of a handle ended, sorted. */
  readonly outcomes: readonly string[];
  readonly streams: ReadonlyMap<number, StreamSeen>;
}

interface Announced {
  text: string;
  /** Whether the initiator has closed it. */
  isOver: boolean;
  readonly isClosed: boolean;
}

interface Running {
  readonly key: string;
  /** The streams it announced, by number; undefined while there is no reply. */
  readonly streams: ReadonlyMap<number, Announced> | undefined;
  isAcknowledged: boolean;
  isFailed: boolean;
  readonly isDumpFailed: boolean;
}

/**
 * What a target must make of the bytes of an initiator when its services answer at once and every
 * peer may ask. It is computed from all frames together, and of the tested code it uses only the
 * readers of a request's head.
 */
export function mustBeServed(
  bytes: Uint8Array,
  { namesUser, services, answers }: TargetModel,
): Served {
  const { frames, broken } = framesIn(bytes);
  const exchanges = new Map<number, Running>();
  const streams = new Map<number, Announced>();
  const read = new Map<number, Announced>();
  const running = new Set<Running>();
  const outcomes: string[] = [];
  let [admitted, nextStream] = [0, 499_999];

  const begin = (handle: number, payload: Uint8Array): void => {
    if (payload[0] !== packetTypes.REQ) return void outcomes.push('ignored');
    const request = requestIn(payload, namesUser);
    if (request === undefined || !services.includes(request.service))
      return void outcomes.push('refused');
    const key = `${request.service} ${Buffer.from(request.arguments).toString('latin1')}`;
    if ([...running].some((other) => other.key === key)) return void outcomes.push('duplicate');
    admitted += 1;
    const answer = answers(handle);
    const announced = answer?.streams.map(
      ({ isClosed }) => [nextStream--, { text: '', isOver: false, isClosed }] as const,
    );
    for (const [number, stream] of announced ?? []) streams.set(number, stream);
    const exchange = {
      key,
      streams: announced && new Map(announced),
      isAcknowledged: false,
      isFailed: answer?.isFailed === true,
      isDumpFailed: answer?.isDumpFailed === true,
    };
    exchanges.set(handle, exchange);
    running.add(exchange);
  };
  const concludeAll = (): void => {
    for (const exchange of running) {
      if (
        !exchange.isAcknowledged ||
        ![...(exchange.streams?.values() ?? [])].every(({ isOver, isClosed }) => isOver && isClosed)
      )
        continue;
      running.delete(exchange);
      outcomes.push(exchange.isFailed ? 'failed' : 'completed');
    }
    // What both sides have closed is forgotten, and its number is like any other.
    for (const [number, { isOver, isClosed }] of streams)
      if (isOver && isClosed && read.has(number)) streams.delete(number);
  };
  for (const { handle, payload } of frames) {
    const [stream, exchange] = [streams.get(handle), exchanges.get(handle)];
    if (stream !== undefined) {
      if (payload.length === 0) stream.isOver = true;
      else if (!stream.isOver) stream.text += Buffer.from(payload).toString('latin1');
    } else if (payload.length > 0) {
      if (exchange === undefined) begin(handle, payload);
      else if (payload[0] === packetTypes.ACK && exchange.streams !== undefined) {
        exchange.isAcknowledged = true;
        exchange.isFailed ||= exchange.isDumpFailed;
        exchanges.delete(handle);
        for (const [number, announced] of exchange.streams) read.set(number, announced);
      }
    }
    concludeAll();
  }
  outcomes.push(...Array.from(running, ({ isFailed }) => (isFailed ? 'failed' : 'lost')));
  const seen = [...read].map(
    ([number, { text, isOver }]) =>
      [number, { text, end: isOver ? 'complete' : (broken ?? 'CONNECTION_LOST') }] as const,
  );
  return { admitted, outcomes: outcomes.sort(), streams: new Map(seen) };
}

/**
 * Undefined for a refused request. The access rules here admit every peer, also one whose request
 * names no user.
 */
function requestIn(
  payload: Uint8Array,
  namesUser: boolean,
): Pick<ParsedRequest, 'service' | 'arguments'> | undefined {
  const end = payload.indexOf(0, 1);
  const body = payload.subarray(1, end < 0 ? undefined : end);
  try {
    return parseService(namesUser ? readSecurity(body).rest : body);
  } catch (error) {
    if (isAmandaError(error, 'BAD_REQUEST')) return undefined;
    throw error;
  }
}
