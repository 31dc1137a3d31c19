import type { Frame } from '../../src/wire/frame.js';
import {
  type Conversation,
  conversation,
  conversationNames,
  type Direction,
  type ListedStep,
  payloadOf,
} from './captures.js';

/** A recorded connection as a script: what each side did, in the recorded order. */
export interface Script {
  /** The name of the capture. */
  readonly name: string;
  /** What it is about. */
  readonly shows: string;
  /** Where our target is meant to do better than the real one, and how. */
  readonly oursDiffers?: string;
  readonly driver: 'bsdtcp' | 'local' | 'ssh';
  /** The initiator's source port as the target saw it; undefined where the driver has none. */
  readonly sourcePort: number | undefined;
  /** The services named to amandad; empty for local and ssh, where that means all. */
  readonly services: readonly string[];
  readonly script: readonly ScriptStep[];
}

interface StepOrigin {
  readonly direction: Direction;
  /** Seconds since the connection began at which it was seen; of a frame, its last byte. */
  readonly time: number;
}

/** What one side did. */
export type ScriptStep = StepOrigin &
  (
    | { readonly kind: 'frame'; readonly frame: Frame }
    /** Bytes that are no frame. */
    | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
    /** It sends no more (FIN, or end of the pipe). */
    | { readonly kind: 'eof' }
    /** It closed its socket: it sends no more and takes no more. */
    | { readonly kind: 'close' }
    /** The connection was reset by it. */
    | { readonly kind: 'reset' }
  );

interface Caption {
  readonly shows: string;
  readonly oursDiffers?: string;
}

/** All connections that carry frames, the ordinary ones first. */
export function scripts(): readonly Script[] {
  const names = conversationNames();
  return [...names.filter((name) => !isEdge(name)), ...names.filter(isEdge)].map(script);
}

/** Those in which a hand-made initiator asks the real amandad something unusual. */
export function edgeScripts(): readonly Script[] {
  return conversationNames().filter(isEdge).map(script);
}

/** One recorded connection; an error when it has no caption here. */
export function script(name: string): Script {
  const caption = captions[name] ?? captions[name.replace(/\.\d+$/, '')];
  if (caption === undefined) throw new Error(`The recorded connection ${name} has no caption.`);
  const recorded = conversation(name);
  const details =
    recorded.steps.map((step) =>
      step.kind === 'event' && step.name === 'connect' ? step.detail : '',
    )[0] ?? '';
  return {
    name,
    ...caption,
    ...targetOf(name, details),
    script: recorded.steps.flatMap((step) => scriptStep(recorded, step)),
  };
}

function isEdge(name: string): boolean {
  return name.startsWith('edge-');
}

/**
 * What xinetd named to the amandad on the port that most captures were made at; the other one was
 * for dumps only.
 */
const allServices = [
  'amdump',
  'amindexd',
  'amidxtaped',
  'amdumpd',
  'senddiscover',
  'restore',
  'ambackupd',
];
const DUMPS_ONLY_PORT = 10083;

function targetOf(
  name: string,
  connected: string,
): Pick<Script, 'driver' | 'sourcePort' | 'services'> {
  if (name.startsWith('local-')) return { driver: 'local', sourcePort: undefined, services: [] };
  if (name.startsWith('ssh-')) return { driver: 'ssh', sourcePort: undefined, services: [] };
  const sourcePort = Number(/source_port=(\d+)/.exec(connected)?.[1]);
  const services = connected.endsWith(`to=${DUMPS_ONLY_PORT}`) ? ['amdump'] : allServices;
  return { driver: 'bsdtcp', sourcePort, services };
}

/** What happened at the recording tool's end and not between the two sides. */
const notOfTheSides: readonly string[] = [
  'connect',
  'start',
  'closed',
  'amandad-exit',
  'write-error',
];

function scriptStep(recorded: Conversation, step: ListedStep): readonly ScriptStep[] {
  const { direction, time } = step;
  if (step.kind === 'event' && notOfTheSides.includes(step.name)) return [];
  if (direction === undefined) throw new Error(`A step of ${recorded.name} has no direction.`);
  if (step.kind === 'frame')
    return [
      {
        direction,
        time,
        kind: 'frame',
        frame: { handle: step.handle, payload: payloadOf(recorded, step) },
      },
    ];
  if (step.kind === 'invalid')
    return [
      { direction, time, kind: 'bytes', bytes: recorded.bytes[direction].subarray(step.offset) },
    ];
  const kind = endings[step.name];
  if (kind === undefined)
    throw new Error(`${recorded.name} has a step that is not understood: ${step.name}.`);
  return [{ direction, time, kind }];
}

const endings: Readonly<Record<string, 'eof' | 'close' | 'reset'>> = {
  eof: 'eof',
  'shutdown(WR)': 'eof',
  'close()': 'close',
  reset: 'reset',
};

/** By the name of a capture, or by the name that several of one kind share. */
const captions: Readonly<Record<string, Caption>> = {
  noop: { shows: 'amservice asks for noop' },
  selfcheck: { shows: 'amcheck asks for noop, then for selfcheck on the same connection' },
  'amdump.1': { shows: 'planner asks for noop, then for sendsize, which answers in parts' },
  'amdump.2': { shows: 'dumper takes a dump by GNUTAR' },
  'amdump.3': { shows: 'dumper takes a dump by the application amgtar' },
  'amrecover-gnutar.1': {
    shows: 'amrecover talks with amindexd; it ends by closing the connection',
  },
  'amrecover-gnutar.2': {
    shows: 'amrecover takes a dump from amidxtaped; its request has handle 2',
  },
  'local-1-noop+selfcheck': { shows: 'amcheck over pipes: no SECURITY line' },
  'local-2-noop+sendsize': { shows: 'planner over pipes' },
  'local-3-sendbackup': {
    shows: 'dumper over pipes: the dump goes through shared memory, DATA stays empty',
  },
  'ssh-1-noop': { shows: 'amservice over ssh' },

  'edge-bad_reqs.1': { shows: 'a REQ without a body is refused' },
  'edge-bad_reqs.2': { shows: 'a REQ without a SECURITY line is refused' },
  'edge-bad_reqs.3': { shows: 'a REQ of a SECURITY line only is refused' },
  'edge-bad_reqs.4': { shows: 'a SERVICE line without a name is refused' },
  'edge-bad_reqs.5': {
    shows: 'a SERVICE line without a newline, and nothing after it, is refused',
  },
  'edge-bad_reqs.6': { shows: 'a SERVICE line with nothing after it is refused' },
  'edge-bad_reqs.7': { shows: 'a second blank before the name of the service belongs to the name' },
  'edge-bad_reqs.8': { shows: 'everything on the SERVICE line is the name of the service' },
  'edge-bad_reqs.9': { shows: 'SERVICE in small letters is no SERVICE line' },
  'edge-bad_reqs.10': { shows: 'a SECURITY line without a user is refused' },
  'edge-basic': { shows: 'REQ, ACK, REP, ACK, and the target closes the handle' },
  'edge-basic_close_before': {
    shows:
      'the initiator closes the handle together with its ACK; the connection, kept open, is ended by the target at 30 s',
  },
  'edge-dup_req_other_handle': {
    shows: 'the same request on a second handle gets an ACK and a close, and never a reply',
  },
  'edge-dup_req_same_handle': { shows: 'a repeated REQ gets another ACK while the service runs' },
  'edge-first_garbage_binary': { shows: 'a TLS greeting: the connection is reset' },
  'edge-first_garbage_text': {
    shows:
      'an HTTP request: the connection is reset once 100 characters have come; 18 bytes were sent at 0 s, the other 92 at the time given',
    oursDiffers: 'ends the connection at the first eight bytes instead of waiting for more',
  },
  'edge-first_not_req': {
    shows: 'a first packet that is no REQ gets a close and no answer; the connection serves on',
  },
  'edge-first_oversize': { shows: 'a frame one byte over the limit: the connection is reset' },
  'edge-half_close': {
    shows:
      'the initiator ends its direction right after its REQ and gets the ACK only; the recording stops before the end',
  },
  'edge-half_close_streams': {
    shows:
      'the initiator ends its direction while a stream is open: the stream is closed, then the connection',
    oursDiffers: 'ends the connection without closing the stream, which would pass for its end',
  },
  'edge-handles.1': {
    shows: 'a REQ on handle 0 ends the real amandad',
    oursDiffers: 'answers it, or refuses it cleanly',
  },
  'edge-handles.2': { shows: 'a REQ on handle 0x7fffffff is served' },
  'edge-handles.3': {
    shows: 'a REQ on handle 0x80000000 ends the real amandad',
    oursDiffers: 'answers it, or refuses it cleanly',
  },
  'edge-handles.4': {
    shows: 'a REQ on handle 0xffffffff gets no answer',
    oursDiffers: 'answers it, or refuses it cleanly',
  },
  'edge-idle': { shows: 'nothing is sent: the target ends the connection after 30 s' },
  'edge-nak_no_close': {
    shows: 'after a NAK the initiator does nothing: the target ends the connection after 30 s',
  },
  'edge-nak_no_security': { shows: 'a REQ without a SECURITY line is refused' },
  'edge-nak_service_not_enabled': {
    shows: 'a service that the target was not started for is refused',
  },
  'edge-nak_then_continue': { shows: 'after a NAK the connection, and the same handle, serve on' },
  'edge-nak_unknown_service': { shows: 'a service that .amandahosts does not know is refused' },
  'edge-nak_unreserved_port': { shows: 'a source port of 1024 or above is refused' },
  'edge-nak_wrong_user': { shows: 'a user that .amandahosts does not have is refused' },
  'edge-no_ack': {
    shows:
      'a REP that is never confirmed is sent five times, ten seconds apart, then the handle is closed',
  },
  'edge-no_ack_then_req': {
    shows: 'a repeated REQ while the target waits for the ACK gets the REP again at once',
  },
  'edge-no_nul': { shows: 'a REQ without a NUL at its end is served' },
  'edge-oversize_while_service': {
    shows:
      'a frame over the limit while a stream is open: the stream is closed, then the connection',
    oursDiffers: 'ends the connection without closing the stream, which would pass for its end',
  },
  'edge-prep': {
    shows: 'sendsize of three disks answers in parts, each with all there was so far',
  },
  'edge-sendbackup_errors.1': {
    shows:
      'a dump of a folder that is not there: an ordinary reply, and the error on MESG; DATA is closed twice',
  },
  'edge-sendbackup_errors.2': {
    shows: 'a dump by a program that is not there: ERROR lines and the exit code of the service',
  },
  'edge-sendbackup_errors.3': { shows: 'a dump of no disk: an ERROR line' },
  'edge-sendbackup_no_close': {
    shows: 'the initiator closes nothing after a dump: the target ends the connection at 30 s',
  },
  'edge-sendbackup_no_index.1': { shows: 'a dump without an index: INDEX is announced as -1' },
  'edge-sendbackup_no_index.2': {
    shows: 'a dump for an initiator without the feature bit 117: no STATE',
  },
  'edge-sendsize_errors.1': {
    shows: 'an estimate of a folder that is not there: size -1 and an ERROR for the disk',
  },
  'edge-sendsize_errors.2': {
    shows: 'an estimate by a program that is not there: nothing but the OPTIONS line',
  },
  'edge-sendsize_errors.3': { shows: 'an estimate of level 1' },
  'edge-seq_req_same_handle': {
    shows: 'three requests one after the other, two of them on one handle',
  },
  'edge-stream_before_ack': {
    shows: 'bytes on an announced stream before the ACK are answered with a close, and lost',
    oursDiffers: 'keeps them for the service',
  },
  'edge-stream_close_by_initiator': {
    shows:
      'the initiator closes the stream: the service sees its end and the target answers with a close',
  },
  'edge-stream_quit': { shows: 'the service ends by itself: the target closes the stream' },
  'edge-streams_no_ack': {
    shows:
      'a REP with a stream that is never confirmed: the stream is closed with the handle after five sends',
  },
  'edge-two_req_diff': { shows: 'two requests at once on two handles, answered as they complete' },
  'edge-unexpected_in_repwait': {
    shows: 'other packets while the service runs get a NAK each, and the request goes on',
  },
  'edge-zero_len_first': { shows: 'a close of a handle that was never open is ignored' },
};
