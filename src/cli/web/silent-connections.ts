import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * The connections of a web server on which no request with the token is being answered.
 *
 * When there are too many, the oldest one is closed, so strangers cannot keep the owner out.
 */
export class SilentConnections {
  readonly #most: number;
  /** The oldest first. */
  readonly #all = new Set<Socket>();

  constructor(most: number) {
    this.#most = most;
  }

  add(socket: Socket): void {
    this.#all.add(socket);
    socket.once('close', () => this.#all.delete(socket));
    const [oldest] = this.#all;
    if (this.#all.size > this.#most) oldest?.destroy();
  }

  /** Keeps the connection of an admitted request until it is answered. */
  keep(response: ServerResponse): void {
    const { socket } = response;
    if (socket === null || !this.#all.delete(socket)) return;
    response.once('close', () => {
      if (!socket.destroyed) this.#all.add(socket);
    });
  }
}
