// Has Cube's compiler read a data model, and write the SQL of questions to it: from stdin, answered on stdout, both in JSON.
//
// The compiler's part in Rust, which the registry's package does not hold, renders templates, which an export has none of, and plans
// questions anew; the planner in JavaScript does that here.
const { prepareCompiler, PostgresQuery } = require('@cubejs-backend/schema-compiler');

const nativeInstance = {
  loadPythonContext: () => { throw new Error('There is a template in the model.'); },
  newJinjaEngine: () => ({ renderTemplate: () => { throw new Error('There is a template in the model.'); } }),
};

async function answered({ files, questions }) {
  const repository = {
    localPath: () => '.',
    dataSchemaFiles: async () => Object.entries(files).map(([fileName, content]) => ({ fileName, content })),
  };
  const compilers = prepareCompiler(repository, { nativeInstance });
  await compilers.compiler.compile();
  const cubes = compilers.metaTransformer.cubes.map(({ config }) => config);
  const sql = questions.map((question) => new PostgresQuery(compilers, { timezone: 'UTC', ...question }).buildSqlAndParams());
  return { cubes, sql };
}

const given = [];
process.stdin.on('data', (chunk) => given.push(chunk)).on('end', () => answered(JSON.parse(Buffer.concat(given)))
  .then((answer) => process.stdout.write(JSON.stringify(answer)))
  .catch((error) => { process.stderr.write(String(error.message || error)); process.exit(1); }));
