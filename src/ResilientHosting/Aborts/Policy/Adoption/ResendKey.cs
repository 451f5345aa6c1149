using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Primitives;

namespace ResilientHosting.Aborts;

/// <summary>
/// Reads the key that a client sends, and binds it to what it was sent for and by whom: the same key of another user, or for
/// another address, is another key.
/// </summary>
internal static class ResendKey
{
    private const int LongestKey = 255;

    // Which of them an authentication scheme fills is its own choice.
    private static readonly string[] UserClaims = [ClaimTypes.NameIdentifier, "sub", ClaimTypes.Name];

    /// <summary>Reads a bare token or a quoted string. <paramref name="problem"/> tells what is wrong with anything else.</summary>
    public static bool TryParse(StringValues header, [NotNullWhen(true)] out string? key, [NotNullWhen(false)] out string? problem)
    {
        key = null;
        problem = null;
        var text = header.Count == 1 ? header[0]!.Trim() : "";
        if (header.Count > 1)
        {
            problem = $"it was sent {header.Count} times";
        }
        else if (text.Any(c => c is < ' ' or > '~'))
        {
            problem = "it contains characters other than printable ASCII";
        }
        else if (text.StartsWith('"'))
        {
            key = Unquote(text);
            problem = key is null ? "its quoted string does not end with a quotation mark, or contains one inside" : null;
        }
        else if (text.AsSpan().IndexOfAny(" ,\"") >= 0)
        {
            problem = "it contains a space, a comma or a quotation mark without being a quoted string";
        }
        else
        {
            key = text;
        }

        problem ??= key!.Length == 0 ? "it is empty" : key.Length > LongestKey ? $"it has {key.Length} characters" : null;
        return problem is null;
    }

    /// <summary>
    /// Hashes everything that makes a key unique. <see langword="null"/> if the user is authenticated but by nothing that tells one
    /// user from another: then nothing may be shared.
    /// </summary>
    public static string? Bind(HttpContext context, string key)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        if (!TryAppendUser(hash, context))
        {
            return null;
        }

        var request = context.Request;
        Append(hash, request.Method);
        Append(hash, request.Host.Value);
        Append(hash, request.PathBase.Value);
        Append(hash, request.Path.Value);
        Append(hash, request.QueryString.Value);
        Append(hash, key);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static bool TryAppendUser(IncrementalHash hash, HttpContext context)
    {
        var isAuthenticated = false;
        var isKnown = false;
        foreach (var identity in context.User.Identities.Where(identity => identity.IsAuthenticated))
        {
            isAuthenticated = true;
            Append(hash, identity.AuthenticationType);
            foreach (var claim in identity.Claims.Where(claim => UserClaims.Contains(claim.Type) || claim.Type == identity.NameClaimType))
            {
                isKnown = true;
                Append(hash, claim.Type);
                Append(hash, claim.Issuer);
                Append(hash, claim.Value);
            }
        }

        if (!isKnown)
        {
            // Proves as much as the server itself knows about who asks.
            var credentials = context.Request.Headers.Authorization;
            isKnown = !isAuthenticated || credentials.Count > 0;
            Append(hash, credentials.ToString());
        }

        return isKnown;
    }

    // With its length, so that what ends one part can never be taken for the beginning of the next.
    private static void Append(IncrementalHash hash, string? part)
    {
        var size = Encoding.UTF8.GetByteCount(part ?? "");
        var buffer = ArrayPool<byte>.Shared.Rent(sizeof(int) + size);
        BinaryPrimitives.WriteInt32LittleEndian(buffer, part is null ? -1 : size);
        Encoding.UTF8.GetBytes(part ?? "", buffer.AsSpan(sizeof(int)));
        hash.AppendData(buffer, 0, sizeof(int) + size);
        ArrayPool<byte>.Shared.Return(buffer);
    }

    private static string? Unquote(string text)
    {
        var key = new StringBuilder(text.Length);
        for (var i = 1; i < text.Length; i++)
        {
            switch (text[i])
            {
                case '"':
                    return i == text.Length - 1 ? key.ToString() : null;
                case '\\' when i + 1 < text.Length && text[i + 1] is '"' or '\\':
                    i++;
                    break;
            }

            key.Append(text[i]);
        }

        return null;
    }
}
