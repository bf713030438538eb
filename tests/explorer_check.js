// The vectors of explorer_vectors.py, asked of the engine: (modules by their path, the vectors as JSON, or read already)
// => what is wrong, in at most so many sentences. One expression without imports, so that Node and a page run the same text.
(cenote, given, enough = 20) => {
  const { pool } = cenote["engine/pooling.js"];
  const { backward } = cenote["engine/gradient.js"];
  const { RuleError, axis } = cenote["engine/windows.js"];
  const { arithmetic, walk } = cenote["engine/shapes.js"];
  const { parseLayers, parseRules } = cenote["engine/notation.js"];
  const { problems } = cenote["engine/state.js"];

  const words = { NaN: NaN, inf: Infinity, "-inf": -Infinity, "-0": -0 };
  const revived = (_, value) => (typeof value === "string" && Object.hasOwn(words, value) ? words[value] : value);
  const vectors = typeof given === "string" ? JSON.parse(given, revived) : given;
  const failures = [];
  const say = (name, what, got, want) => {
    failures.push(`${name}: ${what} is ${JSON.stringify(got)}, not ${JSON.stringify(want)}`);
  };
  const sorted = (_, value) =>
    value && typeof value === "object" && !Array.isArray(value) ? Object.fromEntries(Object.entries(value).sort()) : value;
  const same = (name, what, got, want) => {
    if (JSON.stringify(got) === JSON.stringify(want)) return;
    if (JSON.stringify(got, sorted) !== JSON.stringify(want, sorted)) say(name, what, got, want);
  };
  // The sign of a zero says nothing, unless the bits are those of a cell.
  const near = (name, what, got, want, within, bits) => {
    if (got.length !== want.length) return say(name, `length of ${what}`, got.length, want.length);
    for (let i = 0; i < want.length; i++) {
      const equal = bits ? Object.is(got[i], want[i]) : Object.is(got[i] + 0, want[i] + 0);
      if (equal || (within && Math.abs(got[i] - want[i]) <= within[i])) continue;
      return say(name, `${what}[${i}]`, String(got[i]), String(want[i]));
    }
  };
  /** Whether it throws a RuleError; any other error is a failure. */
  const refused = (name, act) => {
    try {
      act();
    } catch (error) {
      if (error instanceof RuleError && error.message) return true;
      failures.push(`${name}: throws ${error}`);
      return true;
    }
    return false;
  };

  const ofPool = ({ name, op, rules, shape, divisor, p, integers, want, arrays }) => {
    rules.forEach((rule, i) => {
      if (!want.axes) return;
      let table;
      if (refused(name, () => (table = axis(rule, shape[i])))) return say(name, `axis ${i}`, "refused", "a table");
      const { lo, hi, taps, real, padded } = table;
      same(name, `axis ${i}`, { lo, hi, taps, real, padded }, want.axes[i]);
      same(name, `arithmetic of axis ${i}`, arithmetic(rule, shape[i]), want.arithmetic[i]);
    });
    for (const { kind, values, upstream, want: answers } of arrays) {
      const asked = { op, rules, shape, values, divisor, p, integers };
      const where = `${name} of ${kind}`;
      let answer;
      if (refused(where, () => (answer = pool(asked)))) {
        say(where, "the answer", "a refusal", "numbers");
        continue;
      }
      same(where, "output shape", answer.shape, want.shape);
      if (want.divisors) near(where, "divisors", answer.divisors, want.divisors);
      if (answers.winners) near(where, "winners", answer.winners, answers.winners);
      near(where, "values", answer.values, answers.values, answers.within, Boolean(answers.winners));
      if (answers.gradient) near(where, "gradient", backward(asked, answer, upstream), answers.gradient, answers.gradient_within);
    }
  };

  const ofRule = ({ name, rules, shape, accepted }) => {
    const asked = { op: "max", rules, shape, values: new Float64Array(64), divisor: "inside", p: 2, integers: false };
    same(name, "accepted", !refused(name, () => pool(asked)), accepted);
  };

  const ofState = ({ name, state, field }) => {
    const found = problems(state).map((problem) => problem.field);
    same(name, "the fields with problems", found, field === null ? [] : [field]);
  };

  const ofWindow = ({ text, rank, want }) => {
    let got = null;
    refused(`window "${text}"`, () => (got = parseRules(text, rank)));
    same(`window "${text}" of ${rank} axes`, "reading", got, want);
  };

  const ofChain = ({ text, lengths, channels, want }) => {
    let got = null;
    const name = `${lengths.join("x")} ${text}`;
    refused(name, () => (got = walk(lengths, channels, parseLayers(text, lengths.length))));
    if (!got || !want) return same(name, "refused", got === null, want === null);
    want.forEach((step, i) => {
      for (const key of Object.keys(step)) same(`${name}, layer ${i}`, key, got[i][key], step[key]);
    });
  };

  // The short ones first.
  for (const [name, ask] of Object.entries({ states: ofState, rules: ofRule, chains: ofChain, windows: ofWindow, pools: ofPool })) {
    for (const vector of vectors[name]) {
      ask(vector);
      if (failures.length >= enough) return failures;
    }
  }
  return failures;
}
