import { chmodSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Script } from 'node:vm';

/** It is bundled as CommonJS: `createRequire` takes a module to be loaded, which is a twentieth of a start. */
declare const require: (name: string) => unknown;

type Wrapper = (exports: unknown, require: (name: string) => unknown, module: { exports: unknown }, file: string, folder: string) => void;

/**
 * A program of a few files in ASCII, each a function that takes what a CommonJS module has, run from V8's compiled form of it where there is one that this Node can use, and else from its text: a program that is
 * started for each connection spends a fifth of its start on compiling. The form of `x.js` is `x.compiled` beside it; whoever can write there can
 * write the program, so it is trusted as much.
 */
export class CompiledProgram {
  readonly #modules = new Map<string, { exports: unknown }>();
  readonly #scripts = new Map<string, Script>();

  /** Runs a file, once; what it requires by a relative name is run the same way. Returns its exports. */
  load(file: string): unknown {
    const known = this.#modules.get(file);
    if (known !== undefined) return known.exports;
    const module = { exports: {} };
    this.#modules.set(file, module);
    const folder = dirname(file);
    const script = new Script(readFileSync(file, 'latin1'), { filename: file, cachedData: compiledForm(file) });
    this.#scripts.set(file, script);
    const required = (name: string): unknown => (name.startsWith('./') ? this.load(join(folder, name)) : require(name));
    (script.runInThisContext() as Wrapper)(module.exports, required, module, file, folder);
    return module.exports;
  }

  /** Writes the compiled form of all that has run so far. Throws what the file system says. */
  keep(): void {
    for (const [file, script] of this.#scripts) {
      const path = formOf(file);
      // Whole or not at all: others may be starting at this moment.
      writeFileSync(`${path}.new`, script.createCachedData());
      // The program's umask would keep it from the user that a service is started as.
      chmodSync(`${path}.new`, 0o644);
      renameSync(`${path}.new`, path);
    }
  }
}

function formOf(file: string): string {
  return file.replace(/\.js$/, '.compiled');
}

/** V8 knows a form of another version or for other options, but takes any text of the same length for the one it was made of: what is older is not asked. */
function compiledForm(file: string): Buffer | undefined {
  try {
    const path = formOf(file);
    return statSync(path).ctimeMs < statSync(file).ctimeMs ? undefined : readFileSync(path);
  } catch {
    return undefined;
  }
}
