import type { IncomingRequest } from '../../exchange/service.js';

/**
 * The variables of this process that a service gets by default.
 *
 * Amanda's set-user-ID programs let TZ, DISPLAY and PATH through; the others name the user, whose
 * home has keys for encryption. Source: PROTOCOL.md, "Starting a service".
 */
const passed = ['PATH', 'TZ', 'DISPLAY', 'HOME', 'USER', 'LOGNAME', 'SHELL'] as const;

/** Tells the service its authenticated peer. */
const PEER = 'AMANDA_AUTHENTICATED_PEER';

/** The default environment of services: the variables of this process that they may have. */
export function passedEnvironment(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return Object.fromEntries(
    passed.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])),
  );
}

/** The environment of a service: the base without a language, and the name of the peer. */
export function serviceEnvironment(
  base: NodeJS.ProcessEnv,
  { peer }: IncomingRequest,
): NodeJS.ProcessEnv {
  const kept = Object.entries(base).filter(
    ([name]) => name !== 'LANG' && !name.startsWith('LC_') && name !== PEER,
  );
  return {
    ...Object.fromEntries(kept),
    ...(peer.host === undefined || peer.host === '' ? {} : { [PEER]: peer.host }),
  };
}
