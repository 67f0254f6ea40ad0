'use strict';
// Renders a chart with the bundle in DESP_DIST, then keeps the code of all functions that this took (see script/bundle-chart.mjs).
const { writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { load, program } = require('../apps/cli/bin/desp-chart.cjs');

const loaded = load();
loaded.exports
  .runChartCommand(['template', 'sample', join(__dirname, 'chart-to-learn-from')])
  .then(() => writeFileSync(`${program}.code`, loaded.script.createCachedData()));
