import {
  chmodSync,
  closeSync,
  fstatSync,
  openSync,
  readSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { Script } from 'node:vm';

/** It is bundled as CommonJS: `createRequire` takes a module to be loaded, which is a twentieth of a start. */
declare const require: (name: string) => unknown;

type Wrapper = (
  exports: unknown,
  require: (name: string) => unknown,
  module: { exports: unknown },
  file: string,
  folder: string,
) => void;

/**
 * A program of a few files in ASCII, each a function that takes what a CommonJS module has, run from V8's compiled form of it where there is one that this
 * Node can use, and else from its text: a program that is started for each connection spends a quarter of its start on compiling. The form of `x.js` is
 * `x.compiled` beside it; whoever can write there can write the program, so it is trusted as much.
 */
export class CompiledProgram {
  readonly #modules = new Map<string, { exports: unknown }>();
  readonly #scripts = new Map<string, { readonly script: Script; readonly id: string }>();

  /** Runs a file, once; what it requires by a relative name is run the same way. Returns its exports. */
  load(file: string): unknown {
    const known = this.#modules.get(file);
    if (known !== undefined) return known.exports;
    const module = { exports: {} };
    this.#modules.set(file, module);
    const folder = file.slice(0, file.lastIndexOf('/'));
    const program = read(file);
    const text = program.bytes.toString('latin1');
    const id = text.slice(-ID_BYTES);
    const script = new Script(text, {
      filename: file,
      cachedData: compiledForm(file, id, program.changed),
    });
    this.#scripts.set(file, { script, id });
    const required = (name: string): unknown =>
      name.startsWith('./') ? this.load(`${folder}${name.slice(1)}`) : require(name);
    (script.runInThisContext() as Wrapper)(module.exports, required, module, file, folder);
    return module.exports;
  }

  /** Writes the compiled form of all that has run so far. Throws what the file system says. */
  keep(): void {
    for (const [file, { script, id }] of this.#scripts) {
      const path = formOf(file);
      // Whole or not at all: others may be starting at this moment.
      writeFileSync(
        `${path}.new`,
        Buffer.concat([Buffer.from(id, 'latin1'), script.createCachedData()]),
      );
      // The program's umask would keep it from the user that a service is started as.
      chmodSync(`${path}.new`, 0o644);
      renameSync(`${path}.new`, path);
    }
  }
}

/** A file ends with the hash of what stands before it, and its compiled form begins with that. A multiple of 8, where V8 wants what follows to begin. */
const ID_BYTES = 64;

function formOf(file: string): string {
  return `${file.slice(0, -'.js'.length)}.compiled`;
}

/** V8 knows a form of another version or for other options, but takes any text of the same length for the one it was made of: what is of another one is not asked, nor what is older. */
function compiledForm(file: string, id: string, changed: number): Buffer | undefined {
  try {
    const form = read(formOf(file));
    if (form.bytes.toString('latin1', 0, ID_BYTES) !== id || form.changed < changed)
      return undefined;
    return form.bytes.subarray(ID_BYTES);
  } catch {
    return undefined;
  }
}

/** A whole file and when it was last written, in milliseconds. By the plain calls: what `readFileSync` does besides takes longer to compile than to do. */
function read(file: string): { readonly bytes: Buffer; readonly changed: number } {
  const descriptor = openSync(file, 'r');
  try {
    const { size, mtimeMs } = fstatSync(descriptor);
    const bytes = Buffer.allocUnsafeSlow(size);
    let length = 0;
    while (length < size) {
      const got = readSync(descriptor, bytes, length, size - length, null);
      if (got === 0) throw new Error(`${file} is shorter than it was`);
      length += got;
    }
    return { bytes, changed: mtimeMs };
  } finally {
    closeSync(descriptor);
  }
}
