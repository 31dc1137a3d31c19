#!/usr/bin/env node
import { writeSync } from 'node:fs';
import { CompiledProgram } from './compiled-program.js';

const self = import.meta.filename;
const folder = import.meta.dirname;
const program = new CompiledProgram();

/** The first word says what else there is to do than to run. */
switch (process.argv[2]) {
  case '-precompile':
    void import('./precompile.js').then(async ({ precompile }) => {
      const failure = await precompile(self);
      if (failure === undefined) return;
      process.exitCode = 1;
      writeSync(2, `${failure}\n`);
    });
    break;
  case '-compiling':
    process.argv.splice(2, 1);
    process.once('exit', keep);
    run();
    break;
  default:
    run();
}

function run(): void {
  program.load(`${folder}/program.js`);
}

function keep(code: number): void {
  if (code !== 0) return;
  try {
    program.keep();
  } catch (error) {
    process.exitCode = 1;
    writeSync(2, error instanceof Error ? error.message : String(error));
  }
}
