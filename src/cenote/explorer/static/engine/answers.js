// The frameworks side by side: what each gives for the same words and the same array, and why where it differs.

import { attempt, eachWindow, product, range } from "./windows.js";
import { cellsOf, pool, unravel } from "./pooling.js";
import { applied } from "./dialects.js";
import { question } from "./state.js";

/**
 * @typedef {import("./dialects.js").Dialect} Dialect
 * @typedef {import("./dialects.js").Applied} Applied
 * @typedef {import("./dialects.js").Habits} Habits
 * @typedef {import("./pooling.js").Question} Question
 * @typedef {import("./pooling.js").Answer} Answer
 * @typedef {import("./pooling.js").Divisor} Divisor
 * @typedef {import("./state.js").State} State
 *
 * @typedef {object} Column  one framework's answer, in float32 as far as its range goes; roundings are not shown
 * @property {string} title
 * @property {Dialect | null} row  none of cenote
 * @property {number[] | null} shape
 * @property {Float64Array | null} values
 * @property {Set<number>} different  outputs of another value than ours, where shapes are equal
 * @property {Set<number>} unsure  outputs that depend on the kernel and on the processor
 * @property {string[]} reasons
 * @property {string | null} refusal
 *
 * @typedef {{shape: number[], values: Float64Array, unsure: Set<number>, divisors: Float64Array | null}} Numbers
 */

const LOWEST = 2 ** 104 - 2 ** 128; // of float32, in which frameworks compute
const MOST = 4096; // outputs that are searched for reasons
const LARGE = 1 << 15; // cells of an array that is pooled once more for each framework

/** @type {Record<string, string>} */
const DIVIDED = { inside: "the cells that are there", padded: "the cells of the padded input", window: "all taps of the window" };

/** Ours first, then every framework's; no numbers of large arrays.
 * @param {State} state @param {Dialect[]} rows @param {Answer} [answer] ours @returns {Column[]} */
export function columns(state, rows, answer) {
  const asked = question(state);
  const { shape, values } = answer ?? pool(asked);
  const own = { title: "cenote", row: null, shape, values, different: new Set(), unsure: new Set(), reasons: [], refusal: null };
  /** @param {import("./windows.js").RuleError} error */
  const refused = ({ message }) => ({ shape: null, values: null, refusal: message });
  return [
    own,
    ...rows.map((row) => ({ ...own, title: row.title, row, ...attempt(() => differing(state, row, asked, own), refused) })),
  ];
}

/** What a framework's column has other than ours.
 * @param {State} state @param {Dialect} row @param {Question} asked
 * @param {{shape: number[], values: Float64Array}} ours @returns {Partial<Column>} */
function differing({ op, words, p }, row, asked, ours) {
  const reading = applied(row, op, words, asked.shape, p);
  if (alike(row.habits, reading, asked, ours.values)) return {};
  const why = windows(reading, asked);
  if (asked.values.length > LARGE) return { shape: reading.shape, values: null, reasons: why };
  const seen = cropped(asked, reading.cut);
  const theirs = computed(row.habits, reading, seen);
  const equal = String(theirs.shape) === String(ours.shape);
  const different = new Set(equal ? unlike(theirs, ours.values) : []);
  const reasons = equal && !different.size ? [] : [...why, ...numbers(row, reading, seen, theirs)];
  return { ...theirs, different, reasons: [...new Set(reasons)] };
}

/** Whether a framework cannot but give what we do.
 * @param {Habits} habits @param {Applied} reading @param {Question} asked @param {Float64Array} ours */
function alike(habits, reading, asked, ours) {
  if (JSON.stringify(reading.rules) !== JSON.stringify(asked.rules)) return false;
  if (asked.op === "max") return !habits.starts_lowest.length || ours.every((value) => value > -Infinity);
  if (asked.op === "avg") return reading.divisor === asked.divisor && !asked.integers && !habits.divides_nothing;
  return !otherNorm(habits, asked);
}

/** @param {Habits} habits @param {Question} asked */
function otherNorm(habits, { op, p }) {
  return op === "lp" && p !== Infinity && (habits.signed_powers || habits.scales_overhang);
}

/** Outputs of another value. @param {Numbers} theirs @param {Float64Array} others @returns {number[]} */
function unlike({ values, unsure }, others) {
  // + 0: nobody promises the sign of a zero
  return [...values.keys()].filter((i) => unsure.has(i) || !Object.is(values[i] + 0, others[i] + 0));
}

/** The array without the cells that are cut off. @param {Question} asked @param {[number, number][]} cut @returns {Question} */
function cropped(asked, cut) {
  const axes = asked.shape.map((length, i) => ({ real: range(length - cut[i][0] - cut[i][1], (at) => [at + cut[i][0]]) }));
  return { ...asked, ...eachWindow(axes, asked.shape, (cells) => asked.values[cells[0]]) };
}

/** A framework's numbers on its windows.
 * @param {Habits} habits @param {Applied} reading @param {Question} asked @returns {Numbers} */
function computed(habits, { rules, form, kept, divisor }, asked) {
  const { op } = asked;
  const call = { ...asked, rules, integers: false, divisor: kept ? "inside" : divisor };
  /** @type {Set<number>} */
  const unsure = new Set();
  const answer = pool(call);
  const { axes, shape, divisors } = answer;
  let { values } = answer;
  if (otherNorm(habits, asked)) values = norms(habits, call);
  const empty = (/** @type {number} */ i) => !cellsOf(asked, answer, i).length;
  if (op === "avg" && habits.divides_nothing && call.divisor === "inside") {
    // Without padding to count, the cells of a window beyond the input are its place against the end: 0, or fewer.
    const nothing = (/** @type {number} */ i) =>
      !kept || axes.some((axis, d) => axis.taps[unravel(i, shape)[d]][0] === axis.length);
    values = values.map((value, i) => (value === 0 && empty(i) && nothing(i) ? NaN : value));
  }
  if (op === "max") {
    if (habits.unsettled)
      values.forEach((value, i) => (Number.isNaN(value) || (value === -Infinity && !empty(i))) && unsure.add(i));
    if (habits.drops_nan.includes(form)) {
      values = pool({ ...call, values: Array.from(asked.values, (value) => (Number.isNaN(value) ? -Infinity : value)) }).values;
    }
    if (habits.starts_lowest.includes(form)) values = values.map((value) => (value === -Infinity ? LOWEST : value));
  }
  return { values, shape, unsure, divisors };
}

/** Norms as a mean of powers times the size of the window. @param {Habits} habits @param {Question} call */
function norms(habits, call) {
  const { p } = call;
  const powers = Array.from(call.values, (value) => power(habits.signed_powers ? value : Math.abs(value), p));
  const sums = pool({ ...call, op: "sum", values: powers });
  const taps = size(call);
  return sums.values.map((sum, i) => {
    const inside = habits.scales_overhang ? cellsOf(call, sums, i).length : taps;
    return power(inside === taps ? sum : (sum / inside) * taps, 1 / p);
  });
}

/** PyTorch takes a root for a power of a half: NaN of -inf. @param {number} value @param {number} exponent */
function power(value, exponent) {
  return exponent === 0.5 ? Math.sqrt(value) : value ** exponent;
}

/** Taps of a window, or cells of an array that is one. @param {Question} call */
function size({ rules, shape }) {
  return product(rules.map((rule, i) => (rule.kind === "slide" ? rule.size : shape[i])));
}

/** Why windows are others. @param {Applied} reading @param {Question} asked */
function windows({ rules, cut }, asked) {
  return asked.rules.flatMap((rule, i) => {
    const other = rules[i];
    if (rule.kind === "split" || other.kind === "split") return [];
    if (rule.stride !== other.stride) return [`a stride that is left out is ${other.stride} there, ${rule.stride} here`];
    if (other.ceil && !rule.ceil) return ["lengths are rounded up there"];
    if (String(other.pad) === String(rule.pad)) return [];
    if (typeof rule.pad !== "string") return ["a window that begins beyond the input is kept there"];
    const [lo, hi] = cut[i];
    if (lo + hi) return [`"${rule.pad}" cuts off ${lo} before and ${hi} after there, as the stride is larger than the window`];
    return rule.dilation > 1 ? [`"${rule.pad}" leaves the dilation out there`] : [];
  });
}

/** Why numbers are others on the same windows.
 * @param {Dialect} row @param {Applied} reading @param {Question} asked @param {Numbers} theirs */
function numbers({ nan, habits, divisors }, { rules, divisor }, asked, theirs) {
  const { op, values } = asked;
  const call = { ...asked, rules };
  const contract = pool(call);
  const named = (/** @type {Divisor} */ by) => (typeof by === "number" ? by : DIVIDED[by]);
  const found = unlike(theirs, contract.values).slice(0, MOST).flatMap((i) => {
    const cells = cellsOf(asked, contract, i);
    const some = (/** @type {(value: number) => boolean} */ test) => cells.some((cell) => test(values[cell]));
    if (op === "max") {
      if (some(Number.isNaN)) return `NaN: ${nan}`;
      return `a maximum of -inf alone${theirs.unsure.has(i) ? " is -inf or" : ", or of nothing, is"} the lowest finite float`;
    }
    if (op === "lp")
      return [some((value) => value < 0) ? habits.signed_powers : "", cells.length < size(call) ? habits.scales_overhang : ""];
    if (!cells.length) return habits.divides_nothing;
    if (theirs.divisors?.[i] === contract.divisors?.[i])
      return "gets float32 and does not round: averages of whole numbers are whole in cenote";
    const how = divisors[typeof divisor === "number" ? "number" : divisor];
    return `divides by ${named(divisor)} (${how}), cenote by ${named(asked.divisor)}`;
  });
  return found.filter(Boolean);
}
