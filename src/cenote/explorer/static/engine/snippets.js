// The same call as code: for cenote and for each framework, from the words that were chosen.

import { broken, pads, product } from "./windows.js";
import { applied } from "./dialects.js";
import { pooled, rules } from "./state.js";

/**
 * @typedef {import("./dialects.js").Code} Code
 * @typedef {import("./dialects.js").Dialect} Dialect
 * @typedef {import("./dialects.js").Words} Words
 * @typedef {import("./state.js").State} State
 */

/** A line of cenote. @param {State} state */
export function ours(state) {
  const { op, words, p } = state;
  const { form, size, divisor } = words;
  const { shape } = pooled(state);
  const said = form === "global" ? ["x", `axes=${list([...shape.keys()])}`, "keepdims=True"] : ["x", list(size)];
  if (form === "slide") {
    const [first, ...others] = words.padding;
    // One word for all axes, or numbers for each: cenote takes no mixture.
    const word = typeof first === "string" && others.every((pad) => pad === first);
    const padding = word ? `"${first}"` : list(rules(words).map((rule, i) => list(pads(rule, shape[i]))));
    const names = { stride: "stride", dilation: "dilation", ceil_mode: "ceil_mode" };
    said.push(...chosen(words, names, list, `padding=${padding}`, "True"));
  }
  if (op === "avg" && divisor !== null) said.push(`divisor=${JSON.stringify(divisor)}`);
  if (op === "lp") said.push(`p=${real(p)}`);
  return `${given(shape)}import cenote\n\ny = cenote.${form === "slide" ? "" : `${form}_`}${op}_pool(${said.join(", ")})`;
}

/** Code of a framework; a RuleError says what forbids it. @param {Dialect} row @param {State} state @returns {string} */
export function theirs(row, state) {
  const { op, words, p } = state;
  const { size, dilation } = words;
  const { shape } = pooled(state);
  const { form, divisor, rules } = applied(row, op, words, shape, p);
  const names = row.arguments;
  const code = row.code ?? broken("op", `${row.title} is described by a file of layers, not called`);
  const { calls } = code;
  const call = `${op} ${form !== "slide" ? form : Math.max(...dilation) > 1 ? "dilated" : ""}`;
  const text = calls[`${call} ${divisor}`] ?? calls[call] ?? calls[op];
  const write = (/** @type {number[]} */ numbers) => {
    if (code.lists) return `[${numbers.join(", ")}]`;
    return code.bare && numbers.length === 1 ? String(numbers[0]) : list(numbers);
  };
  const pads = padsOf(code, words, names.padding, write);
  const said = [`${names.size}=${write(size)}`, ...chosen(words, names, write, pads, code.true)];
  const by = words.divisor;
  const how = row.divisors[typeof by === "number" ? "number" : by ?? ""];
  if (op === "avg" && how?.includes("=")) said.push(how.replace(/=n$/, `=${by}`));
  /** @type {Record<string, any>} */
  const filled = {
    rank: shape.length,
    size: write(size),
    stride: write(rules.map((rule) => (rule.kind === "slide" ? rule.stride : 1))),
    pads: pads.replace(/^\w*=/, ""),
    dilation: write(dilation),
    taps: product(size),
    shape: write(shape),
    p: real(p),
    words: said.join(", "),
  };
  return given(shape) + text.replace(/\{(\w+)\}/g, (_, name) => filled[name]);
}

/**
 * What was chosen, as arguments; what was left out stays so.
 * @param {Words} words @param {Record<string, string>} names @param {(numbers: number[]) => string} write
 * @param {string} pads @param {string} yes
 */
function chosen({ stride, padding, dilation, ceil }, names, write, pads, yes) {
  const found = [];
  if (stride) found.push(`${names.stride}=${write(stride)}`);
  if (padding.some((pad) => typeof pad === "string" || pad[0] + pad[1] > 0)) found.push(pads);
  if (Math.max(...dilation) > 1) found.push(`${names.dilation}=${write(dilation)}`);
  if (ceil) found.push(`${names.ceil_mode}=${yes}`);
  return found;
}

/** Padding as an argument.
 * @param {Code} code @param {Words} words @param {string} name @param {(numbers: number[]) => string} write */
function padsOf(code, { padding }, name, write) {
  const [first] = padding;
  if (typeof first === "string") return code.pad_words[first];
  const pairs = /** @type {[number, number][]} */ (padding);
  if (code.pads === "pairs") return `${name}=${list(pairs.map(list))}`;
  const after = code.pads === "flat" ? pairs.map(([, hi]) => hi) : [];
  return `${name}=${write([...pairs.map(([lo]) => lo), ...after])}`;
}

/** @param {number[]} shape */
function given(shape) {
  return `# x is a NumPy array of shape ${list(shape)}\n`;
}

/** A Python tuple. @param {(number | string)[]} numbers */
function list(numbers) {
  return `(${numbers.join(", ")}${numbers.length === 1 ? "," : ""})`;
}

/** @param {number} value */
function real(value) {
  return value === Infinity ? 'float("inf")' : String(value);
}
