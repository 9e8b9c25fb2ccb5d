// Takes steps one after another, and prints what each gives, or how it fails.
export async function report(steps) {
  const results = {};
  for (const [name, step] of Object.entries(steps)) {
    try {
      results[name] = await step();
    } catch (error) {
      const { status, type, code, param, message } = error;
      results[name] = { failed: error.constructor.name, status, type, code, param, message };
    }
  }
  console.log(JSON.stringify(results));
}
