using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Emit;

namespace ResilientHosting.Compiler;

/// <summary>What other projects can see of a project: its reference assembly, remembered from one compilation to the next.</summary>
internal sealed class PublicSurface
{
    private static readonly EmitOptions ReferenceOnly = new(metadataOnly: true, includePrivateMembers: false);

    private byte[]? _latest;

    /// <returns>The reference assembly if it differs from the last call's; null if it doesn't, and the first time.</returns>
    public byte[]? FindChange(CSharpCompilation program, CancellationToken cancellationToken)
    {
        // Deterministic, or every emission would look like a change.
        using var stream = new MemoryStream();
        program.WithOptions(program.Options.WithDeterministic(true)).Emit(stream, options: ReferenceOnly, cancellationToken: cancellationToken);
        var image = stream.ToArray();
        if (_latest is { } latest && !image.AsSpan().SequenceEqual(latest))
        {
            return _latest = image;
        }

        _latest ??= image;
        return null;
    }
}
