using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Emit;

namespace ResilientHosting.Compiler;

/// <summary>
/// Turns a program into an image. The first time that is a whole image; after edits that a delta can express it is the same image and a
/// delta, so that the cost follows the edits and not the size of the program.
/// </summary>
/// <remarks>
/// A delta always leads from the latest whole image to the program as it is now. Deltas upon deltas would be smaller, but the runtime
/// has refused such a chain (a <c>TypeLoadException</c> in an entry point with closures), and one delta is one thing to apply.
/// </remarks>
internal sealed class ImageEmitter(Outline outline, ResourceDescription[] resources, EmitOptions options, bool allowDeltas)
{
    // Past this many edited methods, one whole image is the cheaper start.
    private const int MostEdits = 100;

    private WholeImage? _whole;

    /// <summary>Emits the program as a delta to the latest whole image.</summary>
    /// <returns>Null if the difference to the latest whole image can't be expressed by a delta.</returns>
    public Emission? TryDelta(CSharpCompilation program, CancellationToken cancellationToken)
    {
        if (_whole is not { } whole || Difference.Find(whole.Program, program, outline, cancellationToken) is not { } difference)
        {
            return null;
        }

        var current = program;
        if (difference.IsInsideBodies)
        {
            // The program itself may still be asked what is wrong with it.
            current = program.Clone();
            DeclarationCheck.Skip(current);
        }

        if (ProgramEdits.Find(whole.Program, current, difference, outline, cancellationToken) is not { Count: <= MostEdits } edits)
        {
            return null;
        }

        // Where a delta is applied the runtime knows no lines any more, so there they needn't be right.
        return edits.Count > 0 ? EmitDelta(whole, current, edits, cancellationToken)
            : difference.MovesMappedLines ? null
            : new Emission(whole.Image, MovedLines.Follow(whole.Symbols, difference, outline), null, []);
    }

    /// <summary>Emits a delta that changes nothing, and forgets it.</summary>
    public void Rehearse()
    {
        if (_whole is { } whole && whole.Program.GetEntryPoint(default) is { } main)
        {
            whole.Program.EmitDifference(
                whole.Baseline, [new SemanticEdit(SemanticEditKind.Update, main, main)], static _ => false, Stream.Null, Stream.Null, Stream.Null, default);
        }
    }

    private static Emission? EmitDelta(
        WholeImage whole, CSharpCompilation program, IEnumerable<SemanticEdit> edits, CancellationToken cancellationToken)
    {
        using var metadata = new MemoryStream();
        using var il = new MemoryStream();
        using var symbols = new MemoryStream();
        EmitDifferenceResult result;
        try
        {
            var inserted = edits.Where(edit => edit.Kind == SemanticEditKind.Insert).Select(edit => edit.NewSymbol!).ToHashSet(SymbolEqualityComparer.Default);
            result = program.EmitDifference(whole.Baseline, edits, inserted.Contains, metadata, il, symbols, cancellationToken);
        }
        catch (Exception e) when (e is NotSupportedException or InvalidOperationException or ArgumentException)
        {
            return null;
        }

        if (result.Success)
        {
            return new Emission(whole.Image, whole.Symbols, (metadata.ToArray(), il.ToArray(), symbols.ToArray()), result.Diagnostics);
        }

        // An error of the language is the user's. Errors from 7000 on are about what a delta can't express: a whole image may.
        return result.Diagnostics.Any(diagnostic =>
            diagnostic.Severity == DiagnosticSeverity.Error && !diagnostic.Id.StartsWith("CS7", StringComparison.Ordinal))
            ? Emission.Failed(result.Diagnostics)
            : null;
    }

    /// <summary>Emits the program as a whole image, which later deltas build on.</summary>
    public Emission EmitWhole(CSharpCompilation program, CancellationToken cancellationToken)
    {
        using var imageStream = new MemoryStream();
        using var symbolStream = new MemoryStream();
        var result = program.Emit(imageStream, symbolStream, manifestResources: resources, options: options, cancellationToken: cancellationToken);
        if (!result.Success)
        {
            return Emission.Failed(result.Diagnostics);
        }

        var (image, symbols) = (imageStream.ToArray(), symbolStream.ToArray());
        _whole = allowDeltas ? new WholeImage(program, image, symbols) : null;
        return new Emission(image, symbols, null, result.Diagnostics);
    }

    /// <summary>A whole image, the program it was made of, and what a delta needs to know about it.</summary>
    private sealed class WholeImage(CSharpCompilation program, byte[] image, byte[] symbols)
    {
        public CSharpCompilation Program => program;

        public byte[] Image => image;

        public byte[] Symbols => symbols;

        public EmitBaseline Baseline { get; } = CreateBaseline(program, image);

        private static EmitBaseline CreateBaseline(CSharpCompilation program, byte[] image)
        {
            // Nothing of the old version is ever running when a delta is applied, so no local has to keep its slot.
            var module = ModuleMetadata.CreateFromImage(image);
            var reader = new PEReader([.. image]);
            var metadata = reader.GetMetadataReader();
            return EmitBaseline.CreateInitialBaseline(
                program,
                module,
                static _ => default,
                handle => metadata.GetMethodDefinition(handle).RelativeVirtualAddress is var address and not 0
                    ? reader.GetMethodBody(address).LocalSignature
                    : default,
                hasPortableDebugInformation: true);
        }
    }
}

/// <summary>What one emit has produced: a whole image, perhaps with a delta to apply to it, or (no image) only errors.</summary>
internal sealed record Emission(byte[] Image, byte[] Symbols, ImageDelta? Delta, IEnumerable<Diagnostic> Diagnostics)
{
    public static Emission Failed(IEnumerable<Diagnostic> diagnostics) => new([], [], null, diagnostics);
}
