// Windows are spans: for every output of an axis, which cells it reads. The rules are those of cenote.geometry.

/**
 * @typedef {[number, number] | "same" | "same_lower"} Pad  cells before and after the axis, or a word
 * @typedef {{kind: "slide", size: number, stride: number, dilation: number, pad: Pad, ceil: boolean}} Slide
 * @typedef {{kind: "split", parts: number}} Split  adaptive bins; one part is global pooling
 * @typedef {Slide | Split} Rule
 *
 * @typedef {object} Axis  the taps of every output of one axis of `length` cells
 * @property {number} length
 * @property {number} lo  padding before the first cell
 * @property {number} hi  padding behind the last cell
 * @property {number[][]} taps  positions of every tap of every output, in padding or not, below 0 or beyond the end too
 * @property {number[][]} real  those among them that are cells
 * @property {number[]} padded  how many lie inside the padded input: what hangs over it does not count
 */

const MOST = 1 << 20; // outputs of a call, and taps of an axis: more than a page can show
const WORK = 2 ** 29; // taps of a call: a second or so

/** A rule that somebody's words or numbers break; `field` is the control, or the part of a file, that holds them. */
export class RuleError extends Error {
  /** @param {string} field @param {string} text */
  constructor(field, text) {
    super(text);
    this.field = field;
  }
}

/** @param {string} field @param {string} text @returns {never} */
export function broken(field, text) {
  throw new RuleError(field, text);
}

/**
 * What an act gives, or what becomes of the rule that it breaks.
 * @template T @template R @param {() => T} act @param {(error: RuleError) => R} otherwise @returns {T | R}
 */
export function attempt(act, otherwise) {
  try {
    return act();
  } catch (error) {
    if (error instanceof RuleError) return otherwise(error);
    throw error;
  }
}

/** The number, if it is a whole one. @param {string} field @param {any} value @param {number} least @returns {number} */
export function whole(field, value, least = 1) {
  if (Number.isSafeInteger(value) && value >= least) return value;
  return broken(field, `${field} is a whole number from ${least} on (below 2^53), got ${value}`);
}

/** What is made of 0, 1, 2 and so on. @template T @param {number} length @param {(i: number) => T} make @returns {T[]} */
export function range(length, make) {
  return Array.from({ length }, (_, i) => make(i));
}

/** @param {number[]} numbers */
export function product(numbers) {
  return numbers.reduce((a, b) => a * b, 1);
}

/** Cells from the first tap of a window to its last, both included. @param {Slide} rule */
export function extent(rule) {
  return (rule.size - 1) * rule.dilation + 1;
}

/** The formula of the output length; it may be below 1. @param {Rule} rule @param {number} length */
function outputs(rule, length) {
  if (rule.kind === "split") return rule.parts;
  if (typeof rule.pad === "string") return Math.ceil(length / rule.stride);
  const [lo, hi] = rule.pad;
  const room = length + lo + hi - extent(rule);
  if (!rule.ceil) return Math.floor(room / rule.stride) + 1;
  const count = Math.ceil(room / rule.stride) + 1;
  return (count - 1) * rule.stride >= length + lo ? count - 1 : count; // a window may not start in the right padding
}

/** Padding before and after, words resolved. @param {Rule} rule @param {number} length @returns {[number, number]} */
export function pads(rule, length) {
  if (rule.kind === "split") return [0, 0];
  if (typeof rule.pad !== "string") return rule.pad;
  const total = Math.max(0, (outputs(rule, length) - 1) * rule.stride + extent(rule) - length);
  const small = Math.floor(total / 2);
  return rule.pad === "same" ? [small, total - small] : [total - small, small];
}

/** The output length, or the rule that it breaks. @param {Rule} rule @param {number} length */
export function outputLength(rule, length) {
  if (rule.kind === "split") {
    whole("size", rule.parts);
    if (length < 1) broken("size", "the axis has length 0, there is nothing to pool");
    return rule.parts;
  }
  const { pad } = rule;
  for (const field of /** @type {const} */ (["size", "stride", "dilation"])) whole(field, rule[field]);
  if (typeof pad !== "string") for (const cells of pad) whole("padding", cells, 0);
  else if (rule.ceil) broken("ceil", `padding "${pad}" fixes the rounding: drop ceil_mode, or pad in numbers`);
  const count = outputs(rule, length);
  if (count > 0) return count;
  const [lo, hi] = pads(rule, length);
  return broken(
    "size",
    `the window spans ${extent(rule)} cells and ${length + lo + hi} are there: use a smaller window or more padding`,
  );
}

/** The taps of every output. @param {Rule} rule @param {number} length @returns {Axis} */
export function axis(rule, length) {
  const count = outputLength(rule, length);
  const [lo, hi] = pads(rule, length);
  fits("taps", count * (rule.kind === "split" ? Math.ceil(length / count) + 1 : rule.size), MOST);
  const taps = range(count, (i) => {
    if (rule.kind === "slide") return range(rule.size, (j) => i * rule.stride - lo + j * rule.dilation);
    const start = Math.floor((i * length) / count);
    return range(Math.ceil(((i + 1) * length) / count) - start, (j) => start + j);
  });
  return {
    length,
    lo,
    hi,
    taps,
    real: taps.map((row) => row.filter((at) => at >= 0 && at < length)),
    padded: taps.map((row) => row.filter((at) => at < length + hi).length), // none begins before the left padding
  };
}

/** @param {string} what @param {number} count @param {number} most */
function fits(what, count, most) {
  if (count > most) broken("size", `${count} ${what} are more than a page can show: use fewer or smaller windows`);
}

/** The taps of every axis of a call. @param {Rule[]} rules @param {number[]} shape */
export function tables(rules, shape) {
  const found = rules.map((rule, i) => axis(rule, shape[i]));
  fits("outputs", product(found.map(({ taps }) => taps.length)), MOST);
  fits("taps", product(found.map(({ real }) => real.flat().length)), WORK);
  return found;
}

/**
 * Every window in row-major order: `visit` gets the flat numbers of its `count` real cells and the number of the output,
 * and says what the output's value is. The buffer of cells is used again for the next window.
 * What outputs of a row share of their cells is put together once for all.
 * @param {{real: number[][]}[]} axes @param {number[]} shape of the input
 * @param {(cells: Int32Array, count: number, flat: number) => number} visit
 */
export function eachWindow(axes, shape, visit) {
  const lengths = axes.map(({ real }) => real.length);
  const values = new Float64Array(product(lengths));
  let room = 1;
  const buffers = [new Int32Array(1)];
  for (const { real } of axes) {
    room *= real.reduce((most, row) => Math.max(most, row.length), 0);
    buffers.push(new Int32Array(room));
  }
  let flat = 0;
  const descend = (/** @type {number} */ level, /** @type {number} */ count) => {
    const from = buffers[level];
    if (level === axes.length) {
      values[flat] = visit(from, count, flat);
      flat++;
      return;
    }
    const to = buffers[level + 1];
    for (const row of axes[level].real) {
      let n = 0;
      for (let i = 0; i < count; i++) for (let j = 0; j < row.length; j++) to[n++] = from[i] * shape[level] + row[j];
      descend(level + 1, n);
    }
  };
  descend(0, 1);
  return { values, shape: lengths };
}

/**
 * Cells of an axis that no window reads: the floor of the output length drops them, or a stride steps over them.
 * @param {Axis} table
 */
export function unread({ length, real }) {
  const read = new Set(real.flat());
  return range(length, (at) => at).filter((at) => !read.has(at));
}

/** How far the last window hangs over the padded input (ceil_mode). @param {Axis} table */
export function overhang({ length, hi, taps }) {
  const last = taps[taps.length - 1];
  return Math.max(0, last[last.length - 1] + 1 - length - hi);
}
