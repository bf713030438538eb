// What a page shows, as plain data: read from a link or a file with every rule checked, and written back.

import { number, spelled, toBytes, toText, unpack } from "./arrays.js";
import { FILTERS, convolve } from "./convolution.js";
import { overhang, attempt, axis, broken, product, tables, whole } from "./windows.js";

/**
 * @typedef {import("./dialects.js").Words} Words
 * @typedef {import("./pooling.js").Question} Question
 * @typedef {import("./windows.js").Pad} Pad
 * @typedef {import("./windows.js").Rule} Rule
 *
 * @typedef {object} State
 * @property {string} op
 * @property {Words} words
 * @property {number} p
 * @property {boolean} integers
 * @property {number[]} shape
 * @property {number[]} values
 * @property {string} title  where the values come from
 * @property {number[] | null} upstream  null: ones
 * @property {string | null} filter  a filter of convolution.js that the array goes through first
 * @property {Look} look
 *
 * @typedef {object} Look  how it is looked at
 * @property {number} focus  the output whose window is shown
 * @property {boolean} pinned
 * @property {boolean} backward  the gradient beside it
 * @property {boolean} heat  cells coloured by how often they win
 */

const OPS = ["max", "min", "avg", "sum", "lp"];
const LONGEST = 4096; // cells of an axis with its padding
const CELLS = 1 << 20;

/** The rules of the contract for these words. @param {Words} words @returns {Rule[]} */
export function rules({ form, size, stride, dilation, padding, ceil }) {
  return size.map((cells, i) => {
    if (form !== "slide") return { kind: "split", parts: form === "global" ? 1 : cells };
    const step = stride?.[i] ?? cells;
    return { kind: form, size: cells, stride: step, dilation: dilation[i], pad: padding[i], ceil: ceil === true };
  });
}

/** @param {State} state @returns {Question} */
export function question(state) {
  const { op, words, p } = state;
  const integers = state.integers && !filtering(state);
  return { op, rules: rules(words), ...pooled(state), divisor: words.divisor ?? "inside", p, integers };
}

/**
 * What is pooled: the array, or what the filter makes of it.
 * @param {State} state @returns {{shape: number[], values: ArrayLike<number>}}
 */
export function pooled(state) {
  const { shape, values } = state;
  return filtering(state) ? convolve(values, shape, FILTERS[state.filter ?? ""]) : { shape, values };
}

/** Whether there is a filter, and an image that it fits into. @param {State} state */
export function filtering({ filter, shape }) {
  return filter !== null && shape.length === 2 && Math.min(...shape) > 2;
}

/** Every rule that a state breaks, with the control that holds the number. @param {State} state */
export function problems(state) {
  const { op, p, words, integers } = state;
  const { divisor } = words;
  /** @type {{field: string, text: string}[]} */
  const found = [];
  const note = (/** @type {string} */ field, /** @type {string} */ text) => found.push({ field, text });
  if (op === "lp" && !(p > 0)) note("p", `p is greater than 0, got ${p}`);
  if (typeof divisor === "number") {
    if (divisor === 0 || !(Math.abs(divisor) < 2 ** 63)) {
      note("divisor", `the divisor is a number other than 0 and below 2^63, got ${divisor}`);
    } else if (op === "avg" && integers && !filtering(state) && !Number.isInteger(divisor)) {
      note("divisor", `averages of whole numbers are whole, and so is their divisor, got ${divisor}`);
    }
  }
  const shape = filtering(state) ? state.shape.map((length) => length - 2) : state.shape;
  const asked = rules(words);
  asked.forEach((rule, i) =>
    attempt(() => axis(rule, shape[i]), (error) => note(error.field, `axis ${i}: ${error.message}`)));
  if (!found.length) attempt(() => drawable(tables(asked, shape)), (error) => note(error.field, error.message));
  return found;
}

/** Padding is drawn, cell by cell. @param {import("./windows.js").Axis[]} axes */
function drawable(axes) {
  const lengths = axes.map((axis) => axis.length + axis.lo + axis.hi + overhang(axis));
  if (Math.max(...lengths) > LONGEST || product(lengths) > CELLS) {
    broken("padding", `${lengths.join(" x ")} cells with their padding are more than a page can draw`);
  }
}

/** A state as JSON carries it, array and all. @param {State} state */
export function packed(state) {
  const { values, upstream, p } = state;
  return { ...state, values: values.map(spelled), upstream: upstream && upstream.map(spelled), p: spelled(p) };
}

/** Whether a link can carry the array: up to 16 x 16 cells. @param {State} state */
export function links(state) {
  return state.values.length <= 256;
}

/** Text that `opened` reads again; arrays beyond 16 x 16 are left out. @param {State} state */
export function link(state) {
  const all = packed(state);
  const json = JSON.stringify(links(state) ? all : { ...all, values: null, upstream: null });
  return toText(new TextEncoder().encode(json)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/**
 * The state of a link; an error says what is wrong with it.
 * @param {string} text @param {State} defaults whose array stands in for one that was left out
 * @returns {{state: State, without_array: boolean}}
 */
export function opened(text, defaults) {
  const bytes = toBytes(text.replace(/-/g, "+").replace(/_/g, "/"));
  return restored(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)), defaults);
}

/** @param {any} packed as JSON gave it @param {State | null} defaults @returns {{state: State, without_array: boolean}} */
export function restored(packed, defaults) {
  const { op, words, p, integers, title, upstream, filter = null, look, values: given = null } = Object(packed);
  const without_array = given === null;
  const array = without_array ? defaults ?? broken("values", "it has no values") : packed;
  const shape = list(array.shape, "shape", null, (length) => whole("shape", length));
  if (![1, 2, 3].includes(shape.length)) broken("shape", "shape is one to three lengths");
  const cells = product(shape);
  if (cells > CELLS) broken("shape", `an array of ${cells} cells is too large`);
  const values = unpack(array.values, "values");
  if (values.length !== cells) broken("values", `${values.length} values for a shape of ${cells} cells`);
  const { focus, pinned, backward, heat } = Object(look);
  const state = {
    op: among(op, OPS, "op"),
    words: wordsOf(Object(words), shape.length),
    p: number(p ?? 2, "p"),
    integers: integers === true && values.every(Number.isInteger),
    shape,
    values,
    title: typeof title === "string" ? title.slice(0, 80) : "",
    upstream: upstream ? unpack(upstream, "upstream") : null,
    filter: filter === null ? null : among(filter, Object.keys(FILTERS), "filter"),
    look: {
      focus: Number.isInteger(focus) && focus >= 0 ? focus : 0,
      pinned: pinned === true,
      backward: backward === true,
      heat: heat === true,
    },
  };
  return { state, without_array };
}

/** @param {any} given @param {number} rank @returns {Words} */
function wordsOf({ form, size, stride, padding, dilation, ceil, divisor = null }, rank) {
  return {
    form: among(form, /** @type {const} */ (["slide", "adaptive", "global"]), "form"),
    size: list(size, "size", rank),
    stride: stride ? list(stride, "stride", rank) : null,
    padding: list(padding, "padding", rank, padOf),
    dilation: list(dilation, "dilation", rank),
    ceil: typeof ceil === "boolean" ? ceil : null,
    divisor: divisor === null || ["inside", "padded", "window"].includes(divisor) ? divisor : number(divisor, "divisor"),
  };
}

/** @param {any} value @returns {Pad} */
function padOf(value) {
  if (value === "same" || value === "same_lower") return value;
  return /** @type {[number, number]} */ (list(value, "padding that is no word", 2));
}

/**
 * A list whose entries are read; of so many, unless that is null.
 * @template [T=number] @param {any} value @param {string} name @param {number | null} count
 * @param {(value: any, name: string) => T} read @returns {T[]}
 */
function list(value, name, count, read = /** @type {any} */ (number)) {
  if (Array.isArray(value) && value.length === (count ?? value.length)) return value.map((entry) => read(entry, name));
  return broken(name, `${name} is a list${count ? ` of ${count}` : ""}`);
}

/** @template {string} T @param {any} value @param {readonly T[]} known @param {string} name @returns {T} */
function among(value, known, name) {
  return known.includes(value) ? value : broken(name, `${name} is one of ${known.join(", ")}, got ${JSON.stringify(value)?.slice(0, 40)}`);
}
