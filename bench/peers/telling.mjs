/** What the processes of a bench tell the one that started them. */
let peakRss = 0;
const watch = setInterval(
  () => (peakRss = Math.max(peakRss, process.memoryUsage.rss())),
  20,
).unref();

/** Objects that live as long as the process, like those of a larger program. Unused. */
export const own = Array.from({ length: Number(process.env.BENCH_OWN_MIB ?? 0) * 64 }, () =>
  new Array(2_048).fill(0),
);

export function tellPort(port) {
  process.send({ kind: 'port', port });
}

/** Bytes that are not counted: until then the code is compiled and the memory is new. */
const WARM_UP = Number(process.env.BENCH_WARM_UP ?? 0);
/** Processor time and time at the end of the warm-up. */
let warm;
if (WARM_UP > 0)
  process.on('message', (said) => said === 'warm' && (warm = cost())).channel.unref();

function cost() {
  return { cpu: process.cpuUsage(), at: performance.now() };
}

/** Tells the cost since the end of the warm-up, or since `cpu`, and the most memory so far. */
export function tellResult(cpu, more = {}) {
  clearInterval(watch);
  const { user, system } = process.cpuUsage(warm?.cpu ?? cpu);
  process.send({
    kind: 'result',
    cpu: (user + system) / 1e6,
    wall: (performance.now() - (warm?.at ?? 0)) / 1e3,
    rss: Math.max(peakRss, process.memoryUsage.rss()),
    ...more,
  });
}

/** Counts bytes and the time after the warm-up. Tells the result when all `parts` have ended. */
export class Counter {
  #bytes = 0;
  #from;
  #started;
  #cpu;
  #open;

  constructor(parts = 1) {
    this.#open = parts;
  }

  add = (length) => {
    if (this.#from === undefined && this.#bytes >= WARM_UP) {
      this.#from = this.#bytes;
      this.#started = process.hrtime.bigint();
      this.#cpu = process.cpuUsage();
      if (WARM_UP > 0) process.send({ kind: 'warm' });
    }
    this.#bytes += length;
    return true;
  };

  end = () => {
    this.#open -= 1;
    if (this.#open === 0)
      tellResult(this.#cpu, {
        bytes: this.#bytes,
        counted: this.#bytes - this.#from,
        seconds: Number(process.hrtime.bigint() - this.#started) / 1e9,
      });
  };
}

/** Writes `total` bytes to a Node stream in pieces of `size`, then ends it. */
export function pour(stream, total, size) {
  const chunk = Buffer.alloc(size, 1);
  let left = total / size;
  const write = () => {
    while (left > 0) {
      left -= 1;
      if (!stream.write(chunk)) return;
    }
    stream.end();
  };
  stream.on('drain', write);
  write();
}

export function fail(error) {
  console.error(error);
  process.exit(1);
}
