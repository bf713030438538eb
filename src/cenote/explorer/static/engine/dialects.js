// The frameworks: what each makes of the same words. Rows come from cenote.dialects; here they are only read.

import { rules } from "./state.js";
import { broken, extent, outputLength } from "./windows.js";

/**
 * @typedef {import("./windows.js").Rule} Rule
 * @typedef {import("./windows.js").Slide} Slide
 * @typedef {import("./pooling.js").Divisor} Divisor
 *
 * @typedef {object} Words  a window as written, one entry per axis; null for what is left out
 * @property {"slide" | "adaptive" | "global"} form
 * @property {number[]} size  or the parts of an adaptive window
 * @property {number[] | null} stride
 * @property {(import("./windows.js").Pad)[]} padding
 * @property {number[]} dilation
 * @property {boolean | null} ceil
 * @property {Divisor | null} divisor
 *
 * @typedef {object} Spelling
 * @property {"size" | "one"} stride  what a stride that was left out is
 * @property {string[]} padding
 * @property {string} takes  the same in words
 * @property {"none" | "half" | "below_size"} limit
 * @property {string} limited  the same in words
 * @property {boolean} dilation
 * @property {"never" | "drops" | "drops_if_padded"} ceil
 * @property {boolean} ceil_default
 * @property {boolean} adapts
 *
 * @typedef {object} Habits  where numbers are not the contract's; cenote.dialects.habits says what each means
 * @property {string} runs_on
 * @property {string[]} drops_nan  forms of windows
 * @property {string[]} starts_lowest
 * @property {boolean} unsettled
 * @property {string} signed_powers  what is said of it, or ""
 * @property {string} scales_overhang  the same
 * @property {boolean} whole_p
 * @property {string} divides_nothing  the same
 * @property {boolean} same_raw
 * @property {string} spare_cell  the same
 * @property {string} volumes_fit  the same
 * @property {number} number_axes
 *
 * @typedef {object} Code  how calls are written; cenote.dialects.habits says what each means
 * @property {string} title  what runs it
 * @property {Record<string, string>} calls
 * @property {"each" | "pairs" | "flat"} pads
 * @property {Record<string, string>} pad_words
 * @property {boolean} lists
 * @property {boolean} bare
 * @property {string} true
 *
 * @typedef {object} Dialect
 * @property {string} name
 * @property {string} title
 * @property {number[]} ranks
 * @property {Record<string, Spelling>} operators
 * @property {Record<string, string>} missing  a way out for every other operator
 * @property {Record<string, string>} arguments  our names to theirs
 * @property {Divisor} divisor
 * @property {Record<string, string>} divisors
 * @property {string} divides  the same in words
 * @property {string} nan
 * @property {boolean} adaptive
 * @property {{text: string, source: string}[]} notes
 * @property {Habits} habits
 * @property {Code | null} code
 *
 * @typedef {object} Reading
 * @property {Words["form"]} form  adaptive windows of one part are global
 * @property {Rule[]} rules
 * @property {Divisor} divisor
 * @property {boolean} kept  a window beyond the input was not dropped
 *
 * @typedef {Reading & {cut: [number, number][], shape: number[]}} Applied  `cut`: cells of each axis that are cut off before
 *     and behind, `shape`: of the output
 */

/** The rules and divisor that a framework reads out of these words; a RuleError says what it forbids.
 * @param {Dialect} row @param {string} op @param {Words} words @returns {Reading} */
export function read(row, op, words) {
  const { size, padding } = words;
  const spelling = row.operators[op] ?? refuse(row, "op", `has no ${op} pooling; ${row.missing[op]}`);
  if (!row.ranks.includes(size.length)) refuse(row, "size", `pools ${row.ranks.join(", ")} axes, got ${size.length}`);
  const form = words.form === "adaptive" && size.every((parts) => parts === 1) ? "global" : words.form;
  if (form === "slide") look(row, spelling, words);
  else if (form === "adaptive" && !spelling.adapts) {
    refuse(row, "form", `has no adaptive ${row.adaptive ? `${op} ` : ""}pooling; use a sliding window`);
  }
  const clipped = padding.some((pad) => typeof pad === "string" || pad[0] + pad[1] > 0);
  let kept = false;
  const stride = words.stride ?? (spelling.stride === "one" ? size.map(() => 1) : size);
  const found = rules({ ...words, form, stride, ceil: words.ceil ?? spelling.ceil_default });
  for (const rule of found) {
    if (rule.kind === "split" || !rule.ceil) continue;
    const keeps = !clipped && spelling.ceil === "drops_if_padded" && rule.stride > extent(rule);
    // Rounding up without dropping is rounding down after stride - 1 more cells.
    if (keeps) rule.pad = [0, rule.stride - 1];
    rule.ceil = !keeps && typeof rule.pad !== "string";
    kept ||= keeps;
  }
  return { form, rules: found, divisor: divisorOf(row, op, form, words), kept };
}

/** What a framework computes for these words on an array of this shape; a RuleError says what it forbids.
 * @param {Dialect} row @param {string} op @param {Words} words @param {number[]} shape @param {number} p @returns {Applied} */
export function applied(row, op, words, shape, p) {
  const reading = read(row, op, words);
  const { habits } = row;
  const { form, divisor } = reading;
  if (op === "lp" && habits.whole_p && !Number.isInteger(p)) refuse(row, "p", `takes a whole number p, got ${p}`);
  if (op === "avg" && typeof divisor === "number" && shape.length < habits.number_axes) {
    refuse(row, "divisor", `takes a number as divisor from ${habits.number_axes} axes on`);
  }
  const volume = form === "slide" && op !== "max" && shape.length > 2;
  if (volume && habits.volumes_fit && words.size.some((size, i) => size > shape[i])) refuse(row, "size", habits.volumes_fit);
  const cut = shape.map(() => /** @type {[number, number]} */ ([0, 0]));
  const found = reading.rules.map((rule, i) => {
    if (rule.kind === "split") {
      const bin = Math.ceil(shape[i] / rule.parts);
      if (form === "adaptive" && habits.spare_cell && bin >= shape[i])
        refuse(row, "size", `${habits.spare_cell}, got ${bin} of ${shape[i]}`);
      return rule;
    }
    if (typeof rule.pad !== "string" || !habits.same_raw) return rule;
    const total = (outputLength(rule, shape[i]) - 1) * rule.stride + rule.size - shape[i];
    if (total < 0 && op === "max") refuse(row, "padding", `makes "${rule.pad}" a padding of ${total} here, and refuses that`);
    const lo = Math.trunc((rule.pad === "same" ? total : total + 1) / 2);
    cut[i] = [Math.max(0, -lo), Math.max(0, lo - total)];
    return { ...rule, pad: /** @type {[number, number]} */ ([Math.max(0, lo), Math.max(0, total - lo)]) };
  });
  const lengths = found.map((rule, i) => outputLength(rule, shape[i] - cut[i][0] - cut[i][1]));
  return { ...reading, rules: found, cut, shape: lengths };
}

/** That a framework takes the words of a sliding window. @param {Dialect} row @param {Spelling} spelling @param {Words} words */
function look(row, { padding, takes, limit, limited, dilation, ceil }, words) {
  if (words.ceil && ceil === "never") refuse(row, "ceil", "always rounds the output length down");
  if (Math.max(...words.dilation) > 1 && !dilation) refuse(row, "dilation", "has no dilation");
  const refusePad = (/** @type {string} */ problem) => refuse(row, "padding", problem);
  words.padding.forEach((pad, i) => {
    if (typeof pad === "string") return padding.includes(pad) || refusePad(`has no padding word '${pad}'; ${takes}`);
    const [lo, hi] = pad;
    const larger = Math.max(lo, hi);
    if (!larger) return;
    if (!padding.includes("pairs")) {
      if (lo !== hi) refusePad(`cannot pad ${lo} before and ${hi} after; ${takes}`);
      if (!padding.includes("symmetric")) refusePad(`takes no padding in numbers, got ${larger}; ${takes}`);
    }
    const size = words.size[i];
    const most = { none: Infinity, half: Math.floor(size / 2), below_size: size - 1 }[limit];
    if (larger > most) refusePad(`allows a padding ${limited} (${most} for size ${size}), got ${larger}`);
  });
  const kinds = new Set(words.padding.map((pad) => typeof pad === "string" && pad));
  if (kinds.size > 1) refusePad("takes one padding word for all axes");
}

/** @param {Dialect} row @param {string} op @param {Words["form"]} form @param {Words} words @returns {Divisor} */
function divisorOf(row, op, form, { divisor }) {
  if (op !== "avg") return row.divisor;
  const number = typeof divisor === "number";
  if (form !== "slide") {
    // There is no padding to count.
    return number ? refuse(row, "divisor", `always divides ${form} averages by the cells of the bin`) : "inside";
  }
  if (divisor === null || row.divisors[number ? "number" : divisor]) return divisor ?? row.divisor;
  return refuse(row, "divisor", `cannot divide by ${number ? "a number" : `"${divisor}"`}; it has ${row.divides}`);
}

/** @param {Dialect} row @param {string} field @param {string} problem @returns {never} */
function refuse(row, field, problem) {
  return broken(field, `${row.title} ${problem}`);
}
