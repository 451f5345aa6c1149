using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Reflection.Emit;

namespace ResilientHosting.Reloading;

/// <summary>
/// Finds in the code of an assembly which methods it runs on threads of their own. A running thread doesn't tell what it was started
/// with, so this is as near as one gets without a debugger.
/// </summary>
[RequiresUnreferencedCode("Reads the code of methods.")]
internal static class ThreadStarts
{
    private const BindingFlags Declared =
        BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<int, OpCode> Codes = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!)
        .ToDictionary(code => (int)(ushort)code.Value);

    /// <summary>The names of the methods that the assembly gives to the constructor of <see cref="Thread"/>.</summary>
    public static IReadOnlyList<string> In(Assembly assembly) =>
        [.. StaticFields.TypesOf(assembly)
            .SelectMany(type => type.GetMethods(Declared).Concat<MethodBase>(type.GetConstructors(Declared)))
            .SelectMany(In)
            .Select(CodeNames.Of)
            .Distinct()];

    private static IEnumerable<MethodBase> In(MethodBase method)
    {
        if (method.GetMethodBody()?.GetILAsByteArray() is not { } code)
        {
            yield break;
        }

        MethodBase? pointedTo = null;
        foreach (var (instruction, token) in Read(code))
        {
            if (instruction == OpCodes.Ldftn)
            {
                pointedTo = Resolve(method, token);
            }
            else if (instruction == OpCodes.Newobj && pointedTo is not null && Resolve(method, token)?.DeclaringType == typeof(Thread))
            {
                yield return pointedTo;
            }
        }
    }

    private static IEnumerable<(OpCode Code, int Token)> Read(byte[] code)
    {
        for (var at = 0; at < code.Length;)
        {
            var value = (int)code[at++];
            if (value == 0xFE && at < code.Length)
            {
                value = (value << 8) | code[at++];
            }

            if (!Codes.TryGetValue(value, out var instruction))
            {
                yield break;
            }

            var size = instruction.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(code, at)),
                _ => 4,
            };
            yield return (instruction, instruction.OperandType == OperandType.InlineMethod ? BitConverter.ToInt32(code, at) : 0);
            at += size;
        }
    }

    private static MethodBase? Resolve(MethodBase context, int token)
    {
        try
        {
            return context.Module.ResolveMethod(
                token, context.DeclaringType?.GetGenericArguments(), context.IsGenericMethod ? context.GetGenericArguments() : null);
        }
        catch (Exception e) when (e is ArgumentException or BadImageFormatException or IOException or TypeLoadException or MissingMethodException)
        {
            // It refers to something that isn't there; nobody has run it.
            return null;
        }
    }
}
