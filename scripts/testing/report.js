/** What was found out by one check or one suite. It is shown as a whole, in the order of the blocks. */
class Block {
  passed = 0;
  failed = 0;
  skipped = 0;
  text = '';
  startedAt = undefined;

  constructor(name, jobs, isSuite) {
    this.name = name;
    this.left = jobs;
    this.isSuite = isSuite;
  }
}

/** Shows blocks one after the other, also where their jobs end in any order. */
export class Report {
  #blocks = [];
  #complaints = [];
  #shown = 0;
  #say;

  constructor(say) {
    this.#say = say;
  }

  /** @param jobs how many times add() will be called */
  block(name, jobs, isSuite) {
    const block = new Block(name, jobs, isSuite);
    this.#blocks.push(block);
    return block;
  }

  begin(block) {
    block.startedAt ??= Date.now();
  }

  /** Takes the outcome of one job of a block. */
  add(block, text, { passed = 0, failed = 0, skipped = 0 }) {
    block.passed += passed;
    block.failed += failed;
    block.skipped += skipped;
    block.left--;
    const seconds = ((Date.now() - block.startedAt) / 1000).toFixed(0);
    block.text += text;
    if (block.left === 0 && block.isSuite) {
      const counts = `${block.passed} passed, ${block.failed} failed, ${block.skipped} skipped`;
      block.text += `  ${counts} (${seconds} s)\n`;
    }
    this.#show();
  }

  /** Of the first block that is not complete whatever there is; of those after it nothing yet. */
  #show() {
    for (; this.#shown < this.#blocks.length; this.#shown++) {
      const block = this.#blocks[this.#shown];
      if (block.startedAt === undefined) return;
      if (!block.headed) this.#say(`\n== ${block.name}\n`);
      block.headed = true;
      this.#say(block.text);
      block.text = '';
      if (block.left > 0) return;
    }
  }

  /** Something is wrong that no single job is to blame for. */
  complain(text) {
    this.#complaints.push(text);
  }

  /** Shows what is not shown yet, and the sums. @returns how many things were wrong */
  end() {
    const sum = (key) => this.#blocks.reduce((all, block) => all + block[key], 0);
    const wrong = sum('failed') + this.#complaints.length;
    const names = this.#blocks.filter((block) => block.failed > 0).map(({ name }) => name);
    for (const line of this.#complaints) this.#say(`\nFAILED ${line}\n`);
    if (names.length > 0) this.#say(`\nfailed: ${names.join(', ')}\n`);
    this.#say(`\n${sum('passed')} passed, ${wrong} failed\n`);
    return wrong;
  }
}
