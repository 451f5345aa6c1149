using System.Buffers.Binary;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Runtime.InteropServices;
using Microsoft.CodeAnalysis;

namespace ResilientHosting.Compiler;

/// <summary>
/// A line added at the top of a file moves every method below it. None of them has to be compiled again for that: what moved are the
/// line numbers in the image's symbols, and only those are written anew.
/// </summary>
internal static class MovedLines
{
    private const int Alignment = 4;

    /// <returns>The symbols with the lines that methods have now; the same symbols if nothing moved.</returns>
    public static byte[] Follow(byte[] symbols, Difference difference, Outline outline)
    {
        var moves = difference.Trees
            .Where(tree => tree.Older is not null)
            .Select(tree => (tree.Newer.FilePath, Moves: Moves(outline[tree.Older!], outline[tree.Newer])))
            .Where(file => file.Moves.Any(move => move.By != 0))
            .ToDictionary(file => file.FilePath, file => file.Moves);
        return moves.Count == 0 ? symbols : Rewrite(symbols, moves);
    }

    /// <summary>How far each part of a file has moved, by the line it began at.</summary>
    private static List<(int Line, int By)> Moves(Declaration older, Declaration newer) =>
    [
        .. older.PairWith(newer).SelectMany(pair => Parts(pair.Older).Zip(Parts(pair.Newer)))
            .Select(part => (Line: Line(part.First), By: Line(part.Second) - Line(part.First)))
            .OrderBy(move => move.Line),
    ];

    private static IEnumerable<SyntaxNode> Parts(Declaration declaration) => declaration.Bodies.SelectMany(body => body.Nodes)
        .Prepend(declaration.Node)
        .Concat(declaration.Initializer is { } initializer ? [initializer] : []);

    private static int Line(SyntaxNode node) => node.SyntaxTree.GetLineSpan(node.Span).StartLinePosition.Line + 1;

    private static byte[] Rewrite(byte[] symbols, Dictionary<string, List<(int Line, int By)>> moves)
    {
        using var provider = MetadataReaderProvider.FromPortablePdbImage(ImmutableCollectionsMarshal.AsImmutableArray(symbols));
        var reader = provider.GetMetadataReader();
        var documents = reader.Documents
            .Where(document => moves.ContainsKey(reader.GetString(reader.GetDocument(document).Name)))
            .ToDictionary(document => document, document => moves[reader.GetString(reader.GetDocument(document).Name)]);

        // The blobs move to the end of the file, where new ones have room.
        var (table, row) = (reader.GetTableMetadataOffset(TableIndex.MethodDebugInformation), reader.GetTableRowSize(TableIndex.MethodDebugInformation));
        var (heap, heapSize) = (reader.GetHeapMetadataOffset(HeapIndex.Blob), reader.GetHeapSize(HeapIndex.Blob));
        var padding = (Alignment - (symbols.Length % Alignment)) % Alignment;
        var result = new BlobBuilder();
        result.WriteBytes(symbols);
        result.WriteBytes(0, padding);
        result.WriteBytes(symbols, heap, heapSize);
        var addresses = new List<(int Row, int Blob)>();
        foreach (var handle in reader.MethodDebugInformation)
        {
            var method = reader.GetMethodDebugInformation(handle);
            if (!method.Document.IsNil && documents.TryGetValue(method.Document, out var moved) && !method.SequencePointsBlob.IsNil)
            {
                addresses.Add((MetadataTokens.GetRowNumber(handle.ToDefinitionHandle()), result.Count - symbols.Length - padding));
                WritePoints(result, method, moved);
            }
        }

        // A heap past 64 KB is addressed in another way. The lines are then right again with the next whole image.
        var size = result.Count - symbols.Length - padding;
        var isWide = row - (reader.GetTableRowCount(TableIndex.Document) > ushort.MaxValue ? sizeof(int) : sizeof(ushort)) == sizeof(int);
        if (size > ushort.MaxValue && !isWide)
        {
            return symbols;
        }

        var bytes = result.ToArray();
        WriteStreamHeader(bytes, heap, symbols.Length + padding, size);
        foreach (var (number, blob) in addresses)
        {
            var end = bytes.AsSpan(0, table + (number * row));
            if (isWide)
            {
                BinaryPrimitives.WriteInt32LittleEndian(end[^sizeof(int)..], blob);
            }
            else
            {
                BinaryPrimitives.WriteUInt16LittleEndian(end[^sizeof(ushort)..], (ushort)blob);
            }
        }

        return bytes;
    }

    /// <summary>Finds the heap among the streams by where it was, and says where it is. The layout is that of ECMA-335 II.24.2.1.</summary>
    private static void WriteStreamHeader(byte[] bytes, int from, int to, int size)
    {
        var versionLength = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(12));
        var header = 16 + versionLength + sizeof(int);
        while (BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(header)) != from)
        {
            var name = bytes.AsSpan(header + 8).IndexOf((byte)0) + 1;
            header += 8 + ((name + Alignment - 1) / Alignment * Alignment);
        }

        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(header), to);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(header + sizeof(int)), size);
    }

    private static void WritePoints(BlobBuilder heap, MethodDebugInformation method, List<(int Line, int By)> moves)
    {
        var blob = new BlobBuilder();
        blob.WriteCompressedInteger(method.LocalSignature.IsNil ? 0 : MetadataTokens.GetRowNumber(method.LocalSignature));
        SequencePoint? previous = null;
        (int Line, int Column)? start = null;
        foreach (var point in method.GetSequencePoints())
        {
            blob.WriteCompressedInteger(point.Offset - (previous?.Offset ?? 0));
            previous = point;
            if (point.IsHidden)
            {
                blob.WriteUInt16(0);
                continue;
            }

            var (lines, columns) = (point.EndLine - point.StartLine, point.EndColumn - point.StartColumn);
            blob.WriteCompressedInteger(lines);
            if (lines == 0)
            {
                blob.WriteCompressedInteger(columns);
            }
            else
            {
                blob.WriteCompressedSignedInteger(columns);
            }

            var line = point.StartLine + moves.LastOrDefault(move => move.Line <= point.StartLine).By;
            if (start is { } before)
            {
                blob.WriteCompressedSignedInteger(line - before.Line);
                blob.WriteCompressedSignedInteger(point.StartColumn - before.Column);
            }
            else
            {
                blob.WriteCompressedInteger(line);
                blob.WriteCompressedInteger(point.StartColumn);
            }

            start = (line, point.StartColumn);
        }

        heap.WriteCompressedInteger(blob.Count);
        heap.LinkSuffix(blob);
    }
}
