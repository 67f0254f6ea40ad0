'use strict';
// `desp chart`: loads one file with all that it needs, and the code that V8 made of it when it was built. A graph of ES modules, and
// Node's own modules for streams, cryptography and network, took longer than most charts take to render
// (docs/decisions/2026-11-22-cold-start.md).
const { readFileSync } = require('node:fs');
const { dirname, join } = require('node:path');
const { Script } = require('node:vm');

/** Another folder is for tests of a bundle, and for the build itself. */
const program = join(process.env.DESP_DIST || join(__dirname, 'dist'), 'chart/core.cjs');

/** A part of Node that is loaded when something of it is first used. */
const later = (name) => {
  let part;
  return new Proxy({}, { get: (_none, key) => (part ??= require(name))[key] });
};

/** What stands in for `require` in the program: parts of Node later, other files of the bundle as they are named. */
function requireFrom(name) {
  if (name.startsWith('node:')) return later(name);
  return require(join(dirname(program), name));
}

function readIfThere(file) {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

/** @returns what the program exports, and its script, of which script/build.mjs keeps the code */
function load() {
  // Only ASCII is in it: one byte a character, nothing to decode. V8 refuses code of another V8, and then makes it anew.
  const __a=performance.now(); const script = new Script(readFileSync(program, 'latin1'), { filename: program, cachedData: readIfThere(`${program}.code`) });
  const __b=performance.now(); const module = { id: program, filename: program, loaded: true, exports: {} };
  // Other files of the bundle ask for it by its name.
  require.cache[program] = module;
  script.runInThisContext()(module.exports, requireFrom, module);
  const __c=performance.now(); process._rawDebug('start',__a.toFixed(1),'script',(__b-__a).toFixed(2),'toplevel',(__c-__b).toFixed(2)); process.on('exit',()=>process._rawDebug('end',performance.now().toFixed(1)));return { script, exports: module.exports };
}

// To take the heap down in order would only cost time.
const run = async () => (await load().exports.runChartCommand(process.argv.slice(2))) && process.exit();

if (require.main === module) run();
else module.exports = { load, program };
