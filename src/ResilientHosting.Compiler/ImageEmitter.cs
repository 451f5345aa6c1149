using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Emit;

namespace ResilientHosting.Compiler;

/// <summary>
/// Turns a program into an image. The first time that is a whole image; after an edit that only touches method bodies it is the same
/// image and a delta, so that the cost follows the edit and not the size of the program.
/// </summary>
internal sealed class ImageEmitter(ResourceDescription[] resources, EmitOptions options, bool allowDeltas)
{
    // Each new generation applies every delta once more; past this many, one whole image is the cheaper start.
    private const int MostDeltas = 50;

    private readonly List<ImageDelta> _deltas = [];
    private byte[] _image = [];
    private byte[] _symbols = [];
    private EmitBaseline? _baseline;
    private CSharpCompilation? _emitted;

    /// <summary>Gets how many deltas the latest image carries.</summary>
    public int Deltas => _deltas.Count;

    /// <returns>The image, its symbols and the deltas to apply to it, or nothing if there are errors.</returns>
    public (byte[] Image, byte[] Symbols, ImageDelta[] Deltas, IEnumerable<Diagnostic> Diagnostics) Emit(
        CSharpCompilation program, CancellationToken cancellationToken)
    {
        var edits = _baseline is not null && _deltas.Count < MostDeltas ? BodyEdits.Find(_emitted!, program, cancellationToken) : null;
        var (succeeded, diagnostics) = edits is null ? EmitWhole(program, cancellationToken) : EmitDelta(program, edits, cancellationToken);
        return succeeded ? (_image, _symbols, [.. _deltas], diagnostics) : ([], [], [], diagnostics);
    }

    private (bool Succeeded, IEnumerable<Diagnostic> Diagnostics) EmitWhole(CSharpCompilation program, CancellationToken cancellationToken)
    {
        using var image = new MemoryStream();
        using var symbols = new MemoryStream();
        var result = program.Emit(image, symbols, manifestResources: resources, options: options, cancellationToken: cancellationToken);
        if (result.Success)
        {
            (_image, _symbols, _emitted) = (image.ToArray(), symbols.ToArray(), program);
            _deltas.Clear();
            _baseline = allowDeltas ? CreateBaseline(program, _image) : null;
        }

        return (result.Success, result.Diagnostics);
    }

    private (bool Succeeded, IEnumerable<Diagnostic> Diagnostics) EmitDelta(
        CSharpCompilation program, List<SemanticEdit> edits, CancellationToken cancellationToken)
    {
        if (edits.Count == 0)
        {
            return (true, []);
        }

        using var metadata = new MemoryStream();
        using var il = new MemoryStream();
        using var symbols = new MemoryStream();
        var result = program.EmitDifference(_baseline!, edits, static _ => false, metadata, il, symbols, cancellationToken);
        if (result.Success)
        {
            _deltas.Add((metadata.ToArray(), il.ToArray(), symbols.ToArray()));
            (_baseline, _emitted) = (result.Baseline, program);
            return (true, result.Diagnostics);
        }

        // An error of the language is the user's. Anything else is something that a delta can't express.
        return result.Diagnostics.Any(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error && !diagnostic.Id.StartsWith("CS7", StringComparison.Ordinal))
            ? (false, result.Diagnostics)
            : EmitWhole(program, cancellationToken);
    }

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
