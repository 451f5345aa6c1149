using System.Globalization;
using System.Security.Cryptography;

namespace ResilientHosting.Reloading;

/// <summary>Names a generation so that no other is named alike, not even by the next process.</summary>
internal static class GenerationId
{
    private static readonly string Process = RandomNumberGenerator.GetHexString(8, lowercase: true);

    public static string Of(int generation) => string.Create(CultureInfo.InvariantCulture, $"{Process}-{generation}");
}
