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

    /// <summary>Emits the program as it is.</summary>
    /// <returns>The image, its symbols and the deltas to apply to it, or nothing if there are errors; and what the compiler has to say.</returns>
    public (byte[] Image, byte[] Symbols, ImageDelta[] Deltas, IEnumerable<Diagnostic> Diagnostics) Emit(
        CSharpCompilation program, CancellationToken cancellationToken) =>
        Accept(TryDelta(program, cancellationToken) ?? EmitWhole(program, cancellationToken));

    /// <summary>Emits a delta without accepting it as the new state: it may turn out to be of the wrong program.</summary>
    /// <returns>Null if the difference to the latest image can't be expressed by a delta.</returns>
    public Emission? TryDelta(CSharpCompilation program, CancellationToken cancellationToken)
    {
        if (_baseline is null || _deltas.Count == MostDeltas || BodyEdits.Find(_emitted!, program, cancellationToken) is not { } edits)
        {
            return null;
        }

        if (edits.Count == 0)
        {
            return new Emission(program, _baseline, null, null, []);
        }

        EmitDifferenceResult result;
        using var metadata = new MemoryStream();
        using var il = new MemoryStream();
        using var symbols = new MemoryStream();
        try
        {
            result = program.EmitDifference(_baseline, edits, static _ => false, metadata, il, symbols, cancellationToken);
        }
        catch (Exception e) when (e is NotSupportedException or InvalidOperationException or ArgumentException)
        {
            return null;
        }

        if (result.Success)
        {
            return new Emission(program, result.Baseline!, null, (metadata.ToArray(), il.ToArray(), symbols.ToArray()), result.Diagnostics);
        }

        // An error of the language is the user's. Errors from 7000 on are about what a delta can't express: a whole image may.
        return result.Diagnostics.Any(diagnostic =>
            diagnostic.Severity == DiagnosticSeverity.Error && !diagnostic.Id.StartsWith("CS7", StringComparison.Ordinal))
            ? new Emission(program, null, null, null, result.Diagnostics)
            : null;
    }

    public (byte[] Image, byte[] Symbols, ImageDelta[] Deltas, IEnumerable<Diagnostic> Diagnostics) Accept(Emission emission)
    {
        if (emission.Failed)
        {
            return ([], [], [], emission.Diagnostics);
        }

        if (emission.Whole is { } whole)
        {
            (_image, _symbols) = whole;
            _deltas.Clear();
        }
        else if (emission.Delta is { } delta)
        {
            _deltas.Add(delta);
        }

        (_emitted, _baseline) = (emission.Program, emission.Baseline);
        return (_image, _symbols, [.. _deltas], emission.Diagnostics);
    }

    /// <summary>Emits a delta that changes nothing, and forgets it.</summary>
    public void Rehearse()
    {
        if (_baseline is not null && _emitted!.GetEntryPoint(default) is { } main)
        {
            _emitted.EmitDifference(
                _baseline, [new SemanticEdit(SemanticEditKind.Update, main, main)], static _ => false, Stream.Null, Stream.Null, Stream.Null, default);
        }
    }

    private Emission EmitWhole(CSharpCompilation program, CancellationToken cancellationToken)
    {
        using var image = new MemoryStream();
        using var symbols = new MemoryStream();
        var result = program.Emit(image, symbols, manifestResources: resources, options: options, cancellationToken: cancellationToken);
        if (!result.Success)
        {
            return new Emission(program, null, null, null, result.Diagnostics);
        }

        var whole = (Image: image.ToArray(), Symbols: symbols.ToArray());
        return new Emission(program, allowDeltas ? CreateBaseline(program, whole.Image) : null, whole, null, result.Diagnostics);
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

/// <summary>What one emit has produced: a whole image, a delta, nothing new because nothing differs, or only errors.</summary>
internal sealed record Emission(
    CSharpCompilation Program, EmitBaseline? Baseline, (byte[] Image, byte[] Symbols)? Whole, ImageDelta? Delta, IEnumerable<Diagnostic> Diagnostics)
{
    public bool Failed => Whole is null && Baseline is null;
}
