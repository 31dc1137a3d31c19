/** The two sides of a connection: the initiator connects and asks, the target answers. */
export type Role = 'initiator' | 'target';

/** The port at which a target listens. Source: PROTOCOL.md, "Drivers". */
export const AMANDA_PORT = 10_080;
