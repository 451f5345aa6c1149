using Microsoft.CodeAnalysis;

namespace Generator;

[Generator]
public sealed class AnswerGenerator : IIncrementalGenerator
{
    public void Initialize(IncrementalGeneratorInitializationContext context) =>
        context.RegisterPostInitializationOutput(output => output.AddSource(
            "Answer.g.cs", "namespace Generated { internal static class Answer { public static string Text => \"generated\"; } }"));
}
